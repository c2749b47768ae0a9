/* The drawer of a task's page: all about the selected node. What a node prints or is called is shown as text. */

import { get, url } from "../api.js";
import { tellFault } from "../banner.js";
import { fill, h, name } from "../dom.js";
import { duration, seconds, time } from "../format.js";
import { badge, isFinal, stateOf } from "../states.js";
import { LogView } from "./log.js";

const PAUSE = 1000; // milliseconds at least between two questions why

export class Drawer {
  #root; #model; #actions;
  #id = null;
  #asked = 0;
  #timer = 0;
  #title = h("h2", { tabindex: -1, class: "cut" });
  #state = h("span");
  #why = h("div", { class: "why" });
  #facts = h("dl", { class: "facts-of-node" });
  #values = h("div");
  #attempts = h("div");
  #log;
  #rerun;

  constructor(root, model, actions) {
    this.#root = root;
    this.#model = model;
    this.#actions = actions;
    this.#log = new LogView(model);
    this.#rerun = h("button", { type: "button", onclick: () => actions.rerun([this.#node.name]) }, "Rerun from here …");
    const close = h("button", { type: "button", class: "plain", "aria-label": "Close", onclick: () => actions.select(null) }, "✕");
    root.append(
      h("div", { class: "drawer-head" }, this.#title, this.#state, h("span", { class: "spread" }), this.#rerun, close),
      h("section", {}, h("h3", {}, "Why"), this.#why),
      h("section", {}, this.#facts, this.#values),
      h("section", {}, h("h3", {}, "Attempts"), this.#attempts),
      this.#log.element,
    );
    root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") actions.close();
    });
    model.listen((change) => this.#changed(change));
  }

  get #node() {
    return this.#model.nodes[this.#id];
  }

  /** Show a node. */
  open(id) {
    const other = id !== this.#id;
    this.#id = id;
    this.#show();
    if (!other) return;
    this.#ask();
    this.#log.open(id);
    this.#title.focus();
  }

  /** Show nothing any more. */
  close() {
    this.#id = null;
    clearTimeout(this.#timer);
    this.#log.close();
  }

  #changed({ kind, id }) {
    if (this.#id === null || (kind !== "whole" && kind !== "task" && id !== this.#id)) return;
    this.#show();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), Math.max(0, this.#asked + PAUSE - Date.now()));
  }

  #show() {
    const node = this.#node;
    fill(this.#title, name(node.name));
    fill(this.#state, badge(node.state));
    this.#rerun.hidden = !isFinal(this.#model.task.state);
    const facts = [
      ["Executor", node.executor],
      ["Target", node.target],
      ["Engine", node.engine],
      ["Artifact", node.artifact],
      ["Attempt", node.attempt || null],
      ["Exit code", node.exit_code],
      ["Started", node.start_date && time(node.start_date)],
      ["Duration", node.start_date && duration(seconds(node.start_date, node.stop_date))],
    ];
    fill(this.#facts, facts.filter(([, value]) => value !== null && value !== "").map(([label, value]) => [h("dt", {}, label), h("dd", { dir: "auto" }, value)]));
    fill(this.#values, listed("Outputs", Object.entries(node.output ?? {})), listed("Environment", Object.entries(node.env ?? {})));
  }

  async #ask() {
    const id = this.#id;
    if (id === null) return;
    this.#asked = Date.now();
    try {
      const path = `${this.#model.path}/nodes/${id}`;
      const [why, { attempts }] = await Promise.all([get(`${path}/why`), get(`${path}/attempts`)]);
      if (id !== this.#id) return;
      fill(this.#why, this.#explained(why));
      fill(this.#attempts, this.#tried(attempts));
    } catch (error) {
      if (error.name === "Problem") tellFault(error); // a lost service is told by the banner
    }
  }

  #explained(why) {
    const nodes = why.waits_for?.nodes ?? why.ended_by?.roots ?? [];
    return [
      h("p", { dir: "auto" }, why.summary),
      nodes.length > 0 && h("ul", {}, nodes.map((node) => h("li", {}, this.#link(node)))),
      why.waits_for?.until && h("p", {}, "until ", time(why.waits_for.until)),
      why.waits_for?.how && h("p", {}, "Answer with ", h("code", {}, why.waits_for.how)),
    ];
  }

  #link(node) {
    return [
      h("button", { type: "button", class: "plain link", onclick: () => this.#actions.select(node.node) }, name(node.name)),
      ` ${stateOf(node.state).name}`,
    ];
  }

  #tried(attempts) {
    if (!attempts.length) return h("p", { class: "muted" }, "none on an executor");
    const last = attempts.at(-1);
    return [
      h("ul", {}, attempts.map((each) => h("li", {}, `${each.attempt}: `, badge(each.state), " ", h("span", { dir: "auto" }, each.reason ?? "")))),
      last.args.length > 0 && listed("Arguments, as filled in", last.args.map((arg, place) => [String(place + 1), arg])),
      h("a", { href: url(`${this.#model.path}/nodes/${this.#id}/log`), download: "log.txt" }, "Download the log"),
    ];
  }
}

function listed(title, pairs) {
  if (!pairs.length) return null;
  return [
    h("h3", {}, title),
    h("dl", { class: "facts-of-node" }, pairs.map(([key, value]) => [h("dt", {}, name(key)), h("dd", { dir: "auto", class: "mono" }, value?.secret ? `secret ${value.secret}` : value)])),
  ];
}
