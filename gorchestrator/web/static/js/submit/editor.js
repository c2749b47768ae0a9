/* A text area with line numbers and marked lines. Only rows that are seen are made, however long the text is. */

import { byId, h, set, text } from "../dom.js";
import { Lines } from "./places.js";

const ROW = 20; // pixels of a line, as the style sheet has it
const TOP = 8; // pixels above the first line
const AROUND = 4; // characters that are shown beside what is jumped to

export class Editor {
  #area = byId("text");
  #layer = byId("rows");
  #rows = [];
  #lines = new Lines("");
  #marks = new Map(); // by line: what is wrong there
  #painting = 0;
  #changed;

  /** `changed()` is called after each change of the text, whoever made it. */
  constructor(changed) {
    this.#changed = changed;
    this.#area.addEventListener("input", () => {
      this.#measure();
      changed();
    });
    this.#area.addEventListener("scroll", () => this.#paint());
    new ResizeObserver(() => this.#paint()).observe(this.#area);
    document.addEventListener("selectionchange", () => this.#paint());
    this.#measure();
  }

  /** The text as it is. */
  get text() {
    return this.#area.value;
  }

  /** Its lines. */
  get lines() {
    return this.#lines;
  }

  /** Put another text in place of what is there. */
  replace(value) {
    this.#area.value = value;
    this.#area.setSelectionRange(0, 0);
    this.#area.scrollTo(0, 0);
    this.mark([]);
    this.#measure();
    this.#changed();
  }

  /** Mark lines: a list of `{line, detail}`. */
  mark(faults) {
    this.#marks.clear();
    for (const { line, detail } of faults) {
      if (line) this.#marks.set(line, this.#marks.has(line) ? `${this.#marks.get(line)}\n${detail}` : detail);
    }
    set(this.#area, "aria-invalid", faults.length ? "true" : null);
    this.#paint();
  }

  /** Select from one offset to another, and bring that into sight. */
  jump(from, to) {
    const area = this.#area;
    area.focus({ preventScroll: true });
    area.setSelectionRange(from, to);
    const { line, column } = this.#lines.at(from);
    const top = (line - 1) * ROW;
    if (top < area.scrollTop || top + 2 * ROW > area.scrollTop + area.clientHeight) area.scrollTop = top - area.clientHeight / 3;
    const left = (column - 1 - AROUND) * this.#character();
    if (left < area.scrollLeft || left + 40 * this.#character() > area.scrollLeft + area.clientWidth) area.scrollLeft = Math.max(0, left);
    if (column * this.#character() < area.clientWidth / 2) area.scrollLeft = 0;
    area.scrollIntoView({ block: "nearest" });
  }

  /** Where the cursor is: `{line, column}`. */
  get cursor() {
    return this.#lines.at(this.#area.selectionStart);
  }

  #measure() {
    this.#lines = new Lines(this.text);
    const digits = Math.max(3, String(this.#lines.count).length);
    set(this.#area.parentElement, "style", { "--digits": String(digits) });
    this.#paint();
  }

  #paint() {
    this.#painting ||= requestAnimationFrame(() => {
      this.#painting = 0;
      this.#rowsNow();
    });
  }

  #rowsNow() {
    const { scrollTop, clientHeight } = this.#area;
    const first = Math.max(0, Math.floor((scrollTop - TOP) / ROW));
    const seen = Math.ceil(clientHeight / ROW) + 1;
    while (this.#rows.length < seen) {
      const row = h("div", { class: "row" }, h("span", { class: "line" }));
      this.#rows.push(row);
      this.#layer.append(row);
    }
    set(this.#layer, "style", { transform: `translateY(${first * ROW + TOP - scrollTop}px)` });
    const current = document.activeElement === this.#area ? this.cursor.line : 0;
    this.#rows.forEach((row, place) => this.#show(row, first + place + 1, place < seen, current));
    text(byId("place"), current ? `line ${current}, column ${this.cursor.column}` : "");
  }

  #show(row, line, isSeen, current) {
    const isThere = isSeen && line <= this.#lines.count;
    row.hidden = !isThere;
    if (!isThere) return;
    text(row.firstChild, String(line));
    row.className = `row${this.#marks.has(line) ? " faulty" : ""}${line === current ? " current" : ""}`;
    set(row.firstChild, "title", this.#marks.get(line));
  }

  #character() {
    const context = document.createElement("canvas").getContext("2d");
    context.font = getComputedStyle(this.#area).font;
    return context.measureText("0").width;
  }
}
