/* The rows of a grid, of which only those that are seen are in the document: ten thousand cost what fifty cost.
 *
 * It knows nothing of columns. It keeps one row in the tab order (the active one, which stays in the document wherever one
 * scrolls, for the focus would be lost with it) and turns keys and clicks into `select` and `open`.
 */

import { h, set } from "../dom.js";

export const HEIGHT = 32; // pixels of a row; its style says so too
const SPARE = 6; // rows above and below what is seen
const CALM = 1500; // milliseconds after the last touch, in which rows stay where they are
const BETWEEN = 400; // milliseconds between two arrangements, at least

export class Rows {
  #scroller;
  #head;
  #body = h("div", { class: "rows-body", role: "rowgroup" });
  #make;
  #on;
  #ids = [];
  #places = new Map(); // by id
  #rows = new Map(); // in the document, by id
  #changed = new Set();
  #active = null;
  #selected = null;
  #touched = -Infinity;
  #timer = 0;

  /**
   * `scroller`: the element with the role grid; `head`: its first row; `make(id)`: returns a row `{element, update(), tick()}`;
   * `on`: `select(id)` and `open(id)`.
   */
  constructor(scroller, head, make, on) {
    [this.#scroller, this.#head, this.#make, this.#on] = [scroller, head, make, on];
    set(head, "aria-rowindex", 1);
    scroller.append(h("div", { class: "rows-head", role: "rowgroup" }, head), this.#body);
    scroller.addEventListener("scroll", () => this.#paint());
    new ResizeObserver(() => this.#paint()).observe(scroller);
    this.#listen();
  }

  get body() {
    return this.#body;
  }

  /** Whether a row is in the document. */
  has(id) {
    return this.#rows.has(id);
  }

  /** Show these rows in this order; `anew`: from the first one on, else a row with the focus stays where it is seen. */
  put(ids, anew = false) {
    const focused = this.#rows.get(this.#active)?.element === document.activeElement;
    const place = this.#places.get(this.#active) ?? 0;
    const above = place * HEIGHT - this.#scroller.scrollTop;
    this.#ids = ids;
    this.#places = new Map(ids.map((id, index) => [id, index]));
    this.#body.style.height = `${ids.length * HEIGHT}px`;
    set(this.#scroller, "aria-rowcount", ids.length + 1);
    if (!this.#places.has(this.#active)) this.#active = ids[anew ? 0 : Math.min(place, ids.length - 1)] ?? null;
    if (anew) this.#scroller.scrollTop = 0;
    else if (focused && above >= 0 && above < this.#seen()) {
      this.#scroller.scrollTop = (this.#places.get(this.#active) ?? 0) * HEIGHT - above;
    }
    this.#paint();
    if (focused) this.focus();
  }

  /** Call `arrange` a little later, and not while somebody points or types there: rows do not run away. */
  soon(arrange) {
    if (this.#timer) return;
    const attempt = () => {
      const rest = this.#touched + CALM - performance.now();
      this.#timer = rest > 0 ? setTimeout(attempt, rest) : 0;
      if (!this.#timer) arrange();
    };
    this.#timer = setTimeout(attempt, BETWEEN);
  }

  /** Do not arrange any more what `soon` was asked for. */
  never() {
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  /** Show a row anew with the next picture, if it is in the document. */
  change(id) {
    if (!this.#rows.has(id)) return;
    if (!this.#changed.size) requestAnimationFrame(() => this.#update());
    this.#changed.add(id);
  }

  /** Call `action` with each row in the document. */
  each(action) {
    for (const row of this.#rows.values()) action(row);
  }

  /** Mark a row as selected, and show it. */
  select(id) {
    const before = this.#rows.get(this.#selected);
    this.#selected = id;
    if (before) set(before.element, "aria-selected", "false");
    if (id === null || !this.#places.has(id)) return;
    this.#activate(id);
    this.reveal(id);
  }

  /** Scroll as little as is needed to see a row; to the middle if it is far away. */
  reveal(id) {
    const top = (this.#places.get(id) ?? 0) * HEIGHT;
    const [seen, above] = [this.#seen(), this.#scroller.scrollTop];
    if (top < above - seen || top > above + 2 * seen) this.#scroller.scrollTop = top - seen / 2;
    else if (top < above) this.#scroller.scrollTop = top;
    else if (top + HEIGHT > above + seen) this.#scroller.scrollTop = top + HEIGHT - seen;
    this.#paint();
  }

  /** Move the focus to the active row. */
  focus() {
    if (this.#active === null) return;
    this.#rows.get(this.#active)?.element.focus({ preventScroll: true });
  }

  /** Return how many pixels of rows are seen below the head. */
  #seen() {
    return Math.max(HEIGHT, this.#scroller.clientHeight - this.#head.offsetHeight);
  }

  #update() {
    for (const id of this.#changed) this.#rows.get(id)?.update();
    this.#changed.clear();
  }

  /** Bring the document up to what is seen; rows that stay are kept. */
  #paint() {
    if (!this.#scroller.clientHeight) return; // hidden
    const wanted = this.#wanted();
    const kept = new Set(wanted);
    for (const [id, row] of this.#rows) {
      if (kept.has(id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    const focused = document.activeElement;
    let next = this.#body.firstChild;
    for (const id of wanted) {
      const { element } = this.#row(id);
      if (element === next) next = next.nextSibling;
      else this.#body.insertBefore(element, next);
    }
    // An element that is moved loses the focus.
    if (focused !== document.activeElement && this.#body.contains(focused)) focused.focus({ preventScroll: true });
  }

  #wanted() {
    const first = Math.max(0, Math.floor(this.#scroller.scrollTop / HEIGHT) - SPARE);
    const end = Math.ceil((this.#scroller.scrollTop + this.#seen()) / HEIGHT) + SPARE;
    const wanted = this.#ids.slice(first, end);
    const place = this.#places.get(this.#active);
    if (place !== undefined && place < first) wanted.unshift(this.#active);
    if (place !== undefined && place >= end) wanted.push(this.#active);
    return wanted;
  }

  /** Return the row of an id, at its place. */
  #row(id) {
    let row = this.#rows.get(id);
    if (!row) {
      row = this.#make(id);
      row.element.dataset.node = id;
      this.#rows.set(id, row);
      row.update();
    }
    const place = this.#places.get(id);
    row.element.style.top = `${place * HEIGHT}px`;
    set(row.element, "aria-rowindex", place + 2);
    set(row.element, "aria-selected", String(id === this.#selected));
    row.element.tabIndex = id === this.#active ? 0 : -1;
    return row;
  }

  #activate(id) {
    const before = this.#rows.get(this.#active);
    if (before) before.element.tabIndex = -1;
    this.#active = id;
    if (this.#rows.has(id)) this.#row(id);
  }

  #listen() {
    const touch = () => (this.#touched = performance.now());
    for (const kind of ["pointermove", "pointerdown", "wheel", "keydown"]) this.#body.addEventListener(kind, touch, { passive: true });
    this.#body.addEventListener("keydown", (event) => this.#key(event));
    this.#body.addEventListener("focusin", (event) => this.#activate(idOf(event)));
    this.#body.addEventListener("click", (event) => idOf(event) !== null && this.#on.select(idOf(event)));
    this.#body.addEventListener("dblclick", (event) => idOf(event) !== null && this.#on.open(idOf(event)));
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || this.#active === null) return;
    const place = this.#places.get(this.#active);
    const page = Math.max(1, Math.floor(this.#seen() / HEIGHT) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key in steps) this.#go(Math.max(0, Math.min(this.#ids.length - 1, place + steps[event.key])));
    else if (event.key === "Enter") this.#on.open(this.#active);
    else if (event.key === " ") this.#on.select(this.#active);
    else return;
    event.preventDefault();
  }

  #go(place) {
    const id = this.#ids[place];
    this.#activate(id);
    this.reveal(id);
    this.focus();
  }
}

/** Return the id of the row in which an event happened, null if it was beside all rows. */
function idOf(event) {
  const row = event.target.closest("[data-node]");
  return row ? Number(row.dataset.node) : null;
}
