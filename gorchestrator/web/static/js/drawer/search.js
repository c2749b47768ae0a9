/* Searching the lines of a log: what is found is marked (by the browser's own highlights), and gone through. */

import { debounced, h, text } from "../dom.js";

const MOST = 5000; // places that are found at once: the last ones
const PAUSE = 150; // milliseconds after the last key

export class Search {
  #lines;
  #pattern = null;
  #found = []; // places in their order
  #current = -1;
  #input = h("input", { type: "search", placeholder: "search the log", "aria-label": "Search the log", "aria-keyshortcuts": "Enter Shift+Enter" });
  #count = h("span", { class: "number muted", role: "status" });
  #back = h("button", { type: "button", title: "previous place (Shift+Enter)", "aria-label": "Previous place", onclick: () => this.go(-1) }, "↑");
  #on = h("button", { type: "button", title: "next place (Enter)", "aria-label": "Next place", onclick: () => this.go(1) }, "↓");
  element = h("span", { class: "log-search" }, this.#input, this.#count, this.#back, this.#on);

  constructor(lines) {
    this.#lines = lines;
    this.#input.addEventListener("input", debounced(() => this.#anew(), PAUSE));
    this.#input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.go(event.shiftKey ? -1 : 1);
      if (event.key === "Escape" && this.#input.value) {
        event.stopPropagation(); // it clears the search and does not close the drawer
        this.#input.value = "";
        this.#anew();
      }
    });
    this.#show();
  }

  /** Look into elements of lines that are new; `all`: they are not behind the others, so that all are looked into. */
  look(elements, all = false) {
    if (this.#pattern === null) return;
    const current = this.#found[this.#current];
    this.#found = all ? this.#last() : this.#onwards(elements);
    this.#current = current ? this.#found.findIndex((place) => place.isSame(current)) : -1;
    this.#show();
  }

  /** Go `step` places on, or back if it is negative; around the ends. */
  go(step) {
    const size = this.#found.length;
    if (!size) return;
    // The first step leads to the last place, since the end of a log is what tells why it ended.
    this.#current = this.#current < 0 ? size - 1 : (this.#current + step + size) % size;
    this.#lines.reveal(measurable(this.#found[this.#current].range));
    this.#show();
  }

  /** Return the places of all lines, from the end on. */
  #last() {
    const lines = [...this.#lines.all, this.#lines.open];
    const found = [];
    while (lines.length && found.length < MOST) found.push(...places(lines.pop(), this.#pattern).reverse());
    return found.slice(0, MOST).reverse();
  }

  /** Return the places that are still there, and those of new lines; the one that has not ended is new each time. */
  #onwards(elements) {
    const { open } = this.#lines;
    const found = this.#found.filter(({ line }) => line.isConnected && line !== open);
    for (const line of elements) if (line.isConnected) found.push(...places(line, this.#pattern));
    found.push(...places(open, this.#pattern));
    return found.slice(-MOST);
  }

  #anew() {
    const wanted = this.#input.value;
    this.#pattern = wanted ? new RegExp(wanted.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"), "gi") : null;
    this.#found = [];
    this.#current = -1;
    this.look([], true);
    if (this.#found.length) this.go(1);
    else this.#show();
  }

  #show() {
    const size = this.#found.length;
    const [at, all] = [this.#current + 1, size >= MOST ? `${MOST}+` : size];
    text(this.#count, this.#pattern ? (at ? `${at} of ${all}` : String(all)) : "");
    this.#back.disabled = this.#on.disabled = !size;
    if (!globalThis.CSS?.highlights) return; // an older browser still goes from place to place
    const current = this.#found[this.#current];
    CSS.highlights.set("found", new Highlight(...this.#found.map((place) => place.range)));
    CSS.highlights.set("current", Object.assign(new Highlight(...(current ? [measurable(current.range)] : [])), { priority: 1 }));
  }
}

/** What was found: where in the text of which line, whose offset tells it from others even when it is painted anew. */
class Place {
  #range = null;

  constructor(line, { 0: { length }, index }) {
    this.line = line;
    this.at = line.dataset.at;
    this.index = index;
    this.end = index + length;
  }

  isSame(other) {
    return this.at === other.at && this.index === other.index;
  }

  /** As a static range: the browser would look through every other one for each line that goes. */
  get range() {
    return (this.#range ??= new StaticRange(this.#bounds()));
  }

  #bounds() {
    const walker = document.createTreeWalker(this.line, NodeFilter.SHOW_TEXT);
    const bounds = {};
    let passed = 0;
    for (let node = walker.nextNode(); node && !bounds.endContainer; node = walker.nextNode()) {
      const [start, end] = [this.index - passed, this.end - passed];
      if (start >= 0 && start < node.length) Object.assign(bounds, { startContainer: node, startOffset: start });
      if (end <= node.length) Object.assign(bounds, { endContainer: node, endOffset: end });
      passed += node.length;
    }
    return bounds;
  }
}

/** Return the places of a line that the pattern fits. */
function places(line, pattern) {
  return Array.from(line.textContent.matchAll(pattern), (match) => new Place(line, match));
}

/** Return a range that can be measured. */
function measurable({ startContainer, startOffset, endContainer, endOffset }) {
  const range = new Range();
  range.setStart(startContainer, startOffset);
  range.setEnd(endContainer, endOffset);
  return range;
}
