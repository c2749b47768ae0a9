/* A task and its nodes, as the page has them. An event changes one node, and listeners are told which. */

import { get } from "../api.js";
import { isFinal, stateOf } from "../states.js";

// What an event tells anew; what it does not name is null then. Outputs it leaves out: they may be large.
const OF_TASK = ["state", "reason", "reason_code", "start_date", "stop_date"];
const OF_NODE = [...OF_TASK, "attempt", "executor", "exit_code"];
const AGAIN = 2000; // milliseconds until a drawing is asked for again
const CHANGES = new Set(["task_started", "task_final", "node_waits", "node_running", "node_final"]);

export class Model {
  task = null;
  nodes = [];
  layout = null;
  undrawn = null; // why there will be no layout
  selected = null;
  #id;
  #names = new Map();
  #listeners = new Set();
  #critical = null;

  /** `id`: as it stands in the path of the page. */
  constructor(id) {
    this.#id = id;
  }

  /** The path of the task below /v1. */
  get path() {
    return `/tasks/${this.#id}`;
  }

  /** Return the path of a node below /v1: by its number, unless another node is called like that number. */
  pathOf(id) {
    const namesake = this.byName(String(id));
    return `${this.path}/nodes/${namesake && namesake.id !== id ? encodeURIComponent(this.nodes[id].name) : id}`;
  }

  /** Load everything anew; returns the number of the last event that is in it, null if none can follow. */
  async load() {
    const first = this.task === null;
    let found = await get(this.path, { query: { digraph: false } });
    if (found.nodes.some((node) => node.needs === undefined)) found = await get(this.path);
    const { nodes, digraph, ...task } = found;
    this.#connect(nodes, digraph);
    this.task = task;
    this.nodes = nodes;
    this.#names = new Map(nodes.map((node) => [node.name, node]));
    this.#critical = null;
    this.#tell({ kind: "whole" });
    if (first) this.#draw();
    return isFinal(task.state) ? null : task.seq;
  }

  /** Take in an event; true if it was the last one. */
  apply(event) {
    this.task.seq = event.seq;
    if (event.kind === "task_cancel") {
      this.task.cancel_date = event.date;
      this.task.cancel_actor = event.actor;
      this.#tell({ kind: "task" });
    }
    if (CHANGES.has(event.kind)) this.#change(event);
    return event.kind === "task_final";
  }

  byName(name) {
    return this.#names.get(name);
  }

  /** Select a node by its id; null: none. */
  select(id) {
    if (id === this.selected) return;
    const before = this.selected;
    this.selected = id;
    this.#tell({ kind: "select", id, before });
    if (id !== null) this.refresh(id);
  }

  /** Load one node, with its outputs. Faults pass: what is shown stays, and the banner tells of a lost service. */
  async refresh(id) {
    const node = this.nodes[id];
    if (!isFinal(node.state)) return;
    try {
      const found = await get(this.pathOf(id));
      if (this.nodes[id] !== node) return;
      node.output = found.output;
      this.#tell({ kind: "node", id });
    } catch (error) {
      if (!["Problem", "Unreachable"].includes(error.name)) throw error;
    }
  }

  /** Load all attempts of a node. Throws as `get` does. */
  async attempts(id, signal) {
    const found = [];
    for (let after = 0; after !== null; ) {
      const { attempts, next } = await get(`${this.pathOf(id)}/attempts`, { query: { after }, signal });
      found.push(...attempts);
      after = next;
    }
    return found;
  }

  /** Return the ids of the path that holds up the end: what runs longest or ended last, and what each waited for last. */
  critical() {
    if (this.#critical === null) {
      this.#critical = new Set();
      let node = this.#last();
      while (node && !this.#critical.has(node.id)) {
        this.#critical.add(node.id);
        node = latest(node.before.map((id) => this.nodes[id]));
      }
    }
    return this.#critical;
  }

  /** Call `listener` with each change, as described in `docs/web.rst`; returns what ends that. */
  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #change(event) {
    this.#critical = null;
    if (event.node === null) {
      for (const key of OF_TASK) this.task[key] = event[key] ?? null;
      this.#tell({ kind: "task" });
      return;
    }
    const node = this.nodes[event.node];
    for (const key of OF_NODE) node[key] = event[key] ?? null;
    node.attempt ??= 0;
    if (event.from !== undefined) this.#count(event.from, event.state);
    this.#tell({ kind: "node", id: event.node });
    if (event.node === this.selected && event.kind === "node_final") this.refresh(event.node);
  }

  #count(from, to) {
    const { counts } = this.task;
    counts[stateOf(from).name] -= 1;
    counts[stateOf(to).name] = (counts[stateOf(to).name] ?? 0) + 1;
  }

  #last() {
    const running = this.nodes.filter((node) => node.state === 2);
    if (running.length) return running.reduce((one, other) => (other.start_date < one.start_date ? other : one));
    return latest(this.nodes);
  }

  /** Give each node the ids of its predecessors and successors. */
  #connect(nodes, digraph) {
    const size = nodes.length;
    for (const node of nodes) {
      node.before = node.needs ?? [];
      node.after = [];
    }
    digraph?.forEach((cell, place) => {
      if (cell) nodes[place % size].before.push(Math.floor(place / size));
    });
    for (const node of nodes) for (const id of node.before) nodes[id].after.push(node.id);
  }

  async #draw() {
    try {
      this.layout = await get(`${this.path}/layout`);
      this.#tell({ kind: "layout" });
    } catch (error) {
      if (!["Problem", "Unreachable"].includes(error.name)) throw error;
      const passes = error.name === "Unreachable" || (error.status >= 500 && error.type !== "no-layout");
      if (passes) setTimeout(() => this.#draw(), AGAIN);
      else {
        this.undrawn = error.message;
        this.#tell({ kind: "layout" });
      }
    }
  }

  #tell(change) {
    for (const listener of this.#listeners) listener(change);
  }
}

/** Return the node that ended last, undefined if none has. */
function latest(nodes) {
  return nodes.reduce((one, other) => (other.stop_date && (!one || other.stop_date > one.stop_date) ? other : one), undefined);
}
