/* Searching the lines of a log: what is found is marked (by the browser's own highlights), and gone through. */

import { debounced, h, text } from "../dom.js";

const MOST = 5000; // places that are found at once
const PAUSE = 150; // milliseconds after the last key

export class Search {
  #lines;
  #pattern = null;
  #found = []; // ranges in the order of the lines
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
    if (all) this.#found = [];
    const place = this.#found[this.#current];
    this.#found = this.#found.filter((range) => range.startContainer.isConnected);
    this.#current = this.#found.indexOf(place);
    for (const line of all ? this.#lines.all : elements) {
      if (this.#found.length >= MOST) break;
      this.#found.push(...places(line, this.#pattern));
    }
    this.#show();
  }

  /** Go `step` places on, or back if it is negative; around the ends. */
  go(step) {
    const size = this.#found.length;
    if (!size) return;
    // The first step leads to the last place, since the end of a log is what tells why it ended.
    this.#current = this.#current < 0 ? size - 1 : (this.#current + step + size) % size;
    this.#lines.reveal(this.#found[this.#current]);
    this.#show();
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
    CSS.highlights.set("found", new Highlight(...this.#found));
    CSS.highlights.set("current", Object.assign(new Highlight(...(current ? [current] : [])), { priority: 1 }));
  }
}

/** Return the ranges of a line that the pattern fits. */
function places(line, pattern) {
  return Array.from(line.textContent.matchAll(pattern), (match) => rangeOf(line, match.index, match.index + match[0].length));
}

function rangeOf(line, from, to) {
  const range = new Range();
  const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
  let passed = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (from >= passed && from < passed + node.length) range.setStart(node, from - passed);
    if (to <= passed + node.length) {
      range.setEnd(node, to - passed);
      break;
    }
    passed += node.length;
  }
  return range;
}
