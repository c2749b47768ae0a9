/* One node on the timeline: its name, and its bars. */

import { fill, h, name, set, text } from "../dom.js";
import { duration } from "../format.js";
import { shape, stateClass } from "../states.js";
import { barsOf } from "./bars.js";
import { aboutBar, aboutNode } from "./words.js";

const NARROW = 22; // pixels of a bar that has no room for a shape
const BESIDE = 20; // pixels that a shape takes beside a narrow bar
const THIN = 3; // pixels of a bar, at least

export class Row {
  #view;
  #id;
  #bars = []; // {element, look, bar}
  #state = null;
  #shape = h("span", { class: "timeline-state" });
  #lane = h("div", { class: "timeline-lane", role: "gridcell" });
  #length = h("span", { class: "timeline-length muted" });

  /** `view`: `model`, `scale`, `attempts`, `now()` and `isCritical(id)`. */
  constructor(view, id) {
    [this.#view, this.#id] = [view, id];
    const { name: called } = view.model.nodes[id];
    const label = h("div", { class: "timeline-name", role: "gridcell", title: called }, this.#shape, name(called, { class: "cut" }));
    this.element = h("div", { class: "rows-row timeline-row", role: "row" }, label, this.#lane);
    this.#lane.append(this.#length);
  }

  /** Show the node as it is now. */
  update() {
    const { model, attempts } = this.#view;
    const node = model.nodes[this.#id];
    if (this.#state !== node.state) fill(this.#shape, shape(node.state));
    this.#state = node.state;
    const bars = barsOf(node, model, attempts.before(node));
    bars.forEach((bar, place) => this.#show(bar, place));
    for (const { element } of this.#bars.splice(bars.length)) element.remove();
    const isCritical = this.#view.isCritical(this.#id);
    this.element.classList.toggle("critical", isCritical);
    set(this.element, "aria-label", aboutNode(node, bars, isCritical));
    this.place();
  }

  /** Put the bars where the scale and the present moment have them. */
  place() {
    const { scale } = this.#view;
    const now = this.#view.now();
    let end = 0;
    for (const [index, { element, bar }] of this.#bars.entries()) {
      const left = scale.x(bar.from);
      const width = Math.max(THIN, scale.x(Math.max(bar.from, bar.to ?? now)) - left);
      element.style.left = `${left}px`;
      element.style.width = `${width}px`;
      const isNarrow = bar.kind === "run" && width < NARROW;
      const next = this.#bars.slice(index + 1).find((other) => other.bar.kind !== "wait");
      element.classList.toggle("narrow", isNarrow);
      element.classList.toggle("crowded", isNarrow && next !== undefined && scale.x(next.bar.from) < left + width + BESIDE);
      end = left + width;
    }
    const last = this.#bars.at(-1)?.bar;
    const narrow = last?.kind === "run" && this.#bars.at(-1).element.classList.contains("narrow");
    text(this.#length, last?.kind === "run" ? duration(Math.max(0, (last.to ?? now) - last.from) / 1000) : "");
    this.#length.style.left = `${end + (narrow ? 24 : 6)}px`;
  }

  #show(bar, place) {
    const look = `${bar.kind} ${bar.state}`;
    const known = (this.#bars[place] ??= { element: this.#lane.insertBefore(h("div", {}), this.#length), look: "", bar });
    known.bar = bar;
    if (known.look !== look) {
      known.element.className = `timeline-bar timeline-${bar.kind} ${stateClass(bar.state)}`;
      fill(known.element, bar.kind !== "wait" && shape(bar.state));
    }
    known.look = look;
    set(known.element, "title", aboutBar(bar));
  }
}
