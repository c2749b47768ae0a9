/* What a node is and what came of it: facts, outputs, environment, options. */

import { h, name, text } from "../dom.js";
import { duration, seconds, time } from "../format.js";
import { isFinal } from "../states.js";
import { Part } from "./part.js";

// What is shown at first; of these alone a change has it made anew.
const FACTS = ["executor", "target", "engine", "artifact", "attempt", "exit_code", "state", "start_date", "stop_date"];

export class Facts {
  #facts = new Part((node) => list(known(named(node))));
  #values = { output: titled("Outputs"), env: titled("Environment"), options: titled("Options") };
  element = h("div", {}, this.#facts.element, Object.values(this.#values).map((part) => part.element));

  /** Show what a node is, and what it has produced. */
  show(node) {
    this.#facts.show(Object.fromEntries(FACTS.map((key) => [key, node[key]])));
    for (const [key, part] of Object.entries(this.#values)) part.show(node[key] ?? {});
  }
}

/** Return how long a node or an attempt ran; `tick` counts on while it runs. */
export function lasting({ state, start_date: since, stop_date: until }) {
  const dataset = until || isFinal(state) ? {} : { since };
  return h("span", { dataset }, duration(seconds(since, until)));
}

/** Bring what is `lasting` in an element up to date. */
export function tick(element) {
  for (const each of element.querySelectorAll("[data-since]")) text(each, duration(seconds(each.dataset.since, null)));
}

function named(node) {
  return [
    ["Executor", node.executor],
    ["Target", node.target],
    ["Engine", node.engine],
    ["Artifact", node.artifact],
    ["Attempt", node.attempt || null],
    ["Exit code", node.exit_code],
    ["Started", node.start_date && time(node.start_date)],
    ["Ended", node.stop_date && time(node.stop_date)],
    ["Duration", node.start_date && lasting(node)],
  ];
}

/** Return the part for values by their names; none has no title. */
function titled(title) {
  return new Part((values) => {
    const pairs = Object.entries(values).map(([key, value]) => [name(key), plain(value)]);
    return pairs.length > 0 && [h("h3", {}, title), list(pairs, "mono")];
  });
}

function known(pairs) {
  return pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
}

function list(pairs, kind) {
  return h("dl", { class: "facts-of-node" }, pairs.map(([label, value]) => [h("dt", {}, label), h("dd", { dir: "auto", class: kind }, value)]));
}

/** Return a value for reading: that of a secret is never known here. */
export function plain(value) {
  if (value?.secret) return `secret ${value.secret}`;
  if (value === "") return h("span", { class: "muted" }, "empty");
  return typeof value === "string" ? value : JSON.stringify(value);
}
