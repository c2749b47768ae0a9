/* The lines of a log on the page: so many at the most, painted once a frame however fast they come. */

import { fill, h } from "../dom.js";
import { Ansi } from "./ansi.js";

const KEPT = 5000; // lines on the page; the earliest ones go
const MOST = 20_000; // lines, if somebody has asked for earlier ones
const NEAR = 24; // pixels from the end that count as the end

export class Lines {
  #list = h("div", { class: "lines" });
  #open = h("div", { class: "line" }); // the line that has not ended yet
  #ansi = new Ansi();
  #waiting = []; // lines to be painted
  #openLine = null;
  #frame = 0;
  #kept = KEPT;
  #follows = true;
  #top = 0; // how far it was scrolled at last; less means that somebody has gone back
  #changed;
  // No dir="auto" here: after each change the browser would look through all lines for the first letter.
  element = h("div", { class: "log follows mono", tabindex: 0, role: "log", "aria-label": "Log", "aria-live": "off" });

  /** `head` is shown before the lines; `changed(lines)`: elements of lines were painted, or it scrolled, or lines went. */
  constructor(head, changed) {
    this.#changed = changed;
    this.element.append(head, this.#list, this.#open);
    this.element.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    // The lines, too: how high long ones are shows only when they come into sight, or are wrapped.
    const observer = new ResizeObserver(() => this.#follows && this.#toEnd());
    for (const element of [this.element, this.#list, this.#open]) observer.observe(element);
  }

  /** Whether the end stays in sight when lines come. */
  get follows() {
    return this.#follows;
  }

  set follows(wanted) {
    if (wanted) this.#toEnd();
    if (wanted === this.#follows) return;
    this.#follows = wanted;
    this.element.classList.toggle("follows", wanted);
    this.#changed([]);
  }

  /** The elements of all lines, in their order. */
  get all() {
    return this.#list.children;
  }

  /** The element of the line that has not ended, which is painted anew while it grows; empty if there is none. */
  get open() {
    return this.#open;
  }

  /** The offset of the first byte on the page, 0 if there are no lines. */
  get first() {
    return Number(this.#list.firstElementChild?.dataset.at ?? 0);
  }

  /** Whether there is nothing to be seen. */
  get isEmpty() {
    return this.#list.childElementCount === 0 && this.#waiting.length === 0 && this.#openLine === null;
  }

  /** Whether more earlier lines may be put before those that are here. */
  get hasRoom() {
    return this.#list.childElementCount < MOST;
  }

  clear() {
    this.#waiting = [];
    this.#openLine = null;
    this.#ansi = new Ansi();
    this.#kept = KEPT;
    fill(this.#list);
    fill(this.#open);
    this.follows = true;
    this.#changed([]);
  }

  /** Add lines at the end, and show the one that has not ended (or null) behind them. */
  add(lines, open) {
    this.#waiting = this.#waiting.concat(lines).slice(-this.#kept);
    this.#openLine = open;
    this.#frame ||= requestAnimationFrame(() => this.#paint());
  }

  /** Nothing follows: what has not ended is a line, too. */
  end() {
    if (this.#openLine) this.add([this.#openLine], null);
  }

  /** Let the earliest lines stay, as long as there may be so many, until others are put before them. */
  makeRoom() {
    this.#kept = MOST;
  }

  /** Put earlier lines before those that are here, which stay where they are on the screen. */
  prepend(lines) {
    const ansi = new Ansi();
    const elements = lines.map((line) => painted(line, ansi));
    const { scrollHeight, scrollTop } = this.element;
    this.#kept = Math.min(MOST, this.#list.childElementCount + elements.length + KEPT);
    this.#list.prepend(...elements);
    this.#scroll(scrollTop + this.element.scrollHeight - scrollHeight);
    this.#changed(elements);
  }

  /** Bring a range of text into the middle, unless it is in sight. */
  reveal(range) {
    const [box, own] = [range.getBoundingClientRect(), this.element.getBoundingClientRect()];
    if (box.top < own.top || box.bottom > own.bottom) {
      this.follows = false;
      this.#scroll(this.element.scrollTop + box.top - own.top - own.height / 2);
    }
    if (box.left < own.left || box.right > own.right) this.element.scrollLeft += box.left - own.left - own.width / 2;
  }

  #paint() {
    this.#frame = 0;
    const elements = this.#waiting.map((line) => painted(line, this.#ansi));
    this.#waiting = [];
    this.#list.append(...elements);
    for (let more = this.#list.childElementCount - this.#kept; more > 0; more -= 1) this.#list.firstElementChild.remove();
    // What a line sets that is not whole yet is set when it is.
    fill(this.#open, this.#openLine && parts(this.#openLine.text, this.#ansi.copy()));
    this.#open.dataset.at = this.#openLine?.at ?? "";
    if (this.#follows) this.#toEnd();
    this.#changed(elements);
  }

  #toEnd() {
    this.#scroll(this.element.scrollHeight);
  }

  #scroll(top) {
    this.element.scrollTop = top;
    this.#top = this.element.scrollTop;
  }

  /** Follow or not, as somebody has scrolled; that the end went away, since lines became higher, does not count. */
  #scrolled() {
    const { scrollTop, clientHeight, scrollHeight } = this.element;
    const [moved, left] = [scrollTop - this.#top, scrollHeight - clientHeight - scrollTop];
    this.#top = scrollTop;
    if (moved < 0 && left > 1) this.follows = false; // without anything left, what was shown became shorter
    if (moved > 0 && left <= NEAR) this.follows = true;
  }
}

function painted(line, ansi) {
  return h("div", { class: "line", dataset: { at: line.at } }, parts(line.text, ansi));
}

/** Return the children of a line; an empty one keeps its height. */
function parts(text, ansi) {
  const found = ansi.parts(text).map(({ text, classes }) => (classes ? h("span", { class: classes }, text) : text));
  return found.length ? found : h("br");
}
