/* One node in the table. */

import { fill, h, name, set, text } from "../dom.js";
import { duration, exact } from "../format.js";
import { badge } from "../states.js";
import { firstLine, lasted } from "./columns.js";

const HOVERED = 1000; // characters of an artifact

export class Row {
  #model;
  #id;
  #shown = null; // the state that the badge shows
  #state = h("span", {});
  #reason = name("", { class: "muted cut nodes-reason" });
  #attempt = cell("attempt number");
  #duration = cell("duration number");

  constructor(model, id) {
    [this.#model, this.#id] = [model, id];
    const node = model.nodes[id];
    this.element = h(
      "div",
      { class: "rows-row nodes-row", role: "row" },
      cell("name", name(node.name, { class: "cut", title: node.name })),
      cell("target", name(node.target ?? "", { class: "cut", title: node.target })),
      cell("engine", name(node.engine ?? "", { class: "cut" })),
      cell("artifact", name(firstLine(node), { class: "cut mono", title: (node.artifact ?? "").slice(0, HOVERED) })),
      cell("state", this.#state, this.#reason),
      this.#attempt,
      this.#duration,
    );
  }

  /** Show the node as it is now; what did not change is not touched. */
  update() {
    const node = this.#model.nodes[this.#id];
    if (this.#shown !== node.state) fill(this.#state, badge(node.state));
    this.#shown = node.state;
    text(this.#reason, node.reason ?? "");
    set(this.#reason, "title", node.reason);
    text(this.#attempt, node.attempt ? String(node.attempt) : "–");
    set(this.#duration, "title", [exact(node.start_date), exact(node.stop_date)].filter(Boolean).join("\n") || null);
    this.tick();
  }

  /** Show how long it has been running. */
  tick() {
    text(this.#duration, duration(lasted(this.#model.nodes[this.#id])) || "–");
  }
}

function cell(kind, ...children) {
  return h("div", { class: `nodes-${kind}`, role: "gridcell" }, children);
}
