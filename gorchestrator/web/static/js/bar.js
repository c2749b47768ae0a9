/* A progress bar that is made of the states of a task's nodes. */

import { h, set, text } from "./dom.js";
import { count } from "./format.js";
import { BAR_ORDER, isFinal, stateClass } from "./states.js";

export class Bar {
  #parts = new Map(); // by state, as they come up
  #track = h("div", { class: "bar", role: "progressbar", "aria-label": "Nodes that have ended", "aria-valuemin": 0 });
  #words = h("span", { class: "number muted", "aria-hidden": "true" });
  element = h("div", { class: "progress" }, this.#track, this.#words);

  /** Show how many of `size` nodes are in which state (`counts`: by its name). */
  show(counts, size) {
    const present = BAR_ORDER.filter((state) => counts[state] > 0);
    for (const state of present) this.#part(state).style.flexGrow = counts[state];
    for (const [state, part] of this.#parts) part.hidden = !present.includes(state);
    const ended = present.filter(isFinal).reduce((sum, state) => sum + counts[state], 0);
    const words = present.map((state) => `${count(counts[state])} ${state}`).join(", ");
    set(this.#track, "aria-valuemax", size);
    set(this.#track, "aria-valuenow", ended);
    set(this.#track, "aria-valuetext", `${words} of ${count(size)}`);
    set(this.element, "title", words);
    text(this.#words, `${count(ended)}/${count(size)}`);
  }

  #part(state) {
    const known = this.#parts.get(state);
    if (known) return known;
    const part = h("span", { class: `part part-${state} ${stateClass(state)}` });
    this.#parts.set(state, part);
    const place = BAR_ORDER.indexOf(state);
    const next = [...this.#parts.keys()].filter((other) => BAR_ORDER.indexOf(other) > place);
    next.sort((one, other) => BAR_ORDER.indexOf(one) - BAR_ORDER.indexOf(other));
    this.#track.insertBefore(part, next.length ? this.#parts.get(next[0]) : null);
    return part;
  }
}
