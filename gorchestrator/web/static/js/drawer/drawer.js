/* The drawer of a task's page: all about the selected node. What a node prints or is called is shown as text. */

import { tell } from "../banner.js";
import { fill, h, name, set } from "../dom.js";
import { badge, isFinal } from "../states.js";
import { Attempts } from "./attempts.js";
import { Facts, tick } from "./facts.js";
import { LogView } from "./log.js";
import { Why } from "./why.js";

const TICK = 500; // milliseconds between two looks at what runs

export class Drawer {
  #root; #model; #actions;
  #id = null;
  #title = h("h2", { tabindex: -1, class: "cut" });
  #state = h("span");
  #facts = new Facts();
  #why; #attempts; #log;
  #rerun = h("button", { type: "button", dataset: { needs: "operator" }, onclick: () => this.#actions.rerun([this.#node.name]) }, "Rerun from here …");
  #wide = h("button", { type: "button", class: "plain", "aria-label": "Wide", title: "as wide as the page", "aria-pressed": "false", onclick: () => this.#widen() }, "⤢");

  /** `actions`: `select(id)`, `close()`, and `rerun(names)`, which asks first. */
  constructor(root, model, actions) {
    this.#root = root;
    this.#model = model;
    this.#actions = actions;
    this.#why = new Why(model, (id) => actions.select(id));
    this.#attempts = new Attempts(model, (number) => this.#log.choose(number));
    this.#log = new LogView(model);
    const link = h("button", { type: "button", onclick: copyLink }, "Copy link");
    const close = h("button", { type: "button", class: "plain", "aria-label": "Close", title: "Close (Esc)", onclick: () => actions.select(null) }, "✕");
    root.append(
      h("div", { class: "drawer-head" }, this.#title, this.#state, h("span", { class: "spread" }), this.#wide, close),
      h("section", {}, h("h3", {}, "Why"), this.#why.element, h("div", { class: "answers" }, this.#rerun, link)),
      this.#log.element,
      h("section", {}, h("h3", {}, "Node"), this.#facts.element),
      h("section", {}, h("h3", {}, "Attempts"), this.#attempts.element),
    );
    root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") actions.close();
    });
    model.listen((change) => this.#changed(change));
    setInterval(() => this.#tick(), TICK);
  }

  get #node() {
    return this.#model.nodes[this.#id];
  }

  /** Show a node. The focus comes to it from another one here, but is not taken away from where somebody goes on. */
  open(id) {
    const other = id !== this.#id;
    const takesFocus = this.#id === null || this.#root.contains(document.activeElement);
    this.#id = id;
    this.#show();
    if (!other) return;
    fill(this.#title, name(this.#node.name));
    this.#title.title = this.#node.name;
    this.#why.ask(id);
    this.#attempts.ask(id);
    this.#log.open(id);
    this.#root.scrollTop = 0;
    if (takesFocus) this.#title.focus();
  }

  /** Show nothing any more. */
  close() {
    this.#id = null;
    this.#why.clear();
    this.#attempts.clear();
    this.#log.close();
  }

  #changed({ kind, id }) {
    if (this.#id === null) return;
    const isMine = kind === "whole" || kind === "task" || id === this.#id;
    if (isMine) {
      this.#show();
      this.#attempts.again();
    }
    if (isMine || (kind === "node" && this.#node.before.includes(id))) this.#why.again();
  }

  #tick() {
    if (this.#id === null) return;
    tick(this.#facts.element);
    tick(this.#attempts.element);
  }

  #show() {
    const node = this.#node;
    fill(this.#state, badge(node.state));
    this.#rerun.hidden = !isFinal(this.#model.task.state);
    this.#facts.show(node);
    this.#log.offer(node.attempt ?? 0);
  }

  #widen() {
    set(this.#wide, "aria-pressed", String(this.#root.classList.toggle("wide")));
  }
}

/** Copy the URL, which says task, view and node. Without HTTPS browsers give no clipboard: it is shown then. */
async function copyLink() {
  try {
    await navigator.clipboard.writeText(location.href);
    tell("The link is copied: it shows this task, view and node.");
  } catch {
    tell(location.href);
  }
}
