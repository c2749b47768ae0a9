/* The nodes of a task as a table: searched, filtered, sorted, and brought up to date row by row. */

import { fill, h, set } from "../dom.js";
import { isFinal } from "../states.js";
import { COLUMNS, Order } from "./columns.js";
import { Filters } from "./filters.js";
import { Row } from "./row.js";
import { Rows } from "./rows.js";

const TICK = 500; // milliseconds

export class TableView {
  #root;
  #model;
  #order = new Order();
  #filters = new Filters(() => this.#arrange(true));
  #heads = new Map(); // by column
  #rows;
  #empty;
  #shown = false;
  #counting = false;
  #timer = 0;

  constructor(root, model, { select, open }) {
    [this.#root, this.#model] = [root, model];
    const scroller = h("div", { class: "rows", role: "grid", "aria-label": "Nodes" });
    const head = h("div", { class: "rows-row nodes-row nodes-head", role: "row" }, Object.keys(COLUMNS).map((key) => this.#head(key)));
    this.#rows = new Rows(scroller, head, (id) => new Row(model, id), { select, open });
    const all = h("button", { type: "button", onclick: () => this.#filters.clear() }, "Show all nodes");
    this.#empty = h("div", { class: "nodes-empty", hidden: true }, h("p", {}, "No node is like that."), all);
    root.classList.add("nodes");
    fill(root, this.#filters.element, scroller, this.#empty);
    document.addEventListener("keydown", (event) => this.#findKey(event));
    model.listen((change) => this.#take(change));
  }

  /** Be shown: catch up with what has changed meanwhile. */
  show() {
    this.#shown = true;
    this.#all();
    this.#timer = setInterval(() => this.#tick(), TICK);
  }

  /** Be hidden: do nothing. */
  hide() {
    this.#shown = false;
    this.#rows.never();
    clearInterval(this.#timer);
  }

  /** Move the focus to the active row. */
  focus() {
    this.#rows.focus();
  }

  #take({ kind, id }) {
    if (kind === "whole") this.#order.clear();
    if (!this.#shown) return;
    if (kind === "whole") this.#all();
    else if (kind === "select") this.#rows.select(id);
    else if (kind === "node") {
      this.#rows.change(id);
      this.#count();
      if (this.#order.isLive || this.#filters.isLive) this.#rows.soon(() => this.#arrange());
    }
  }

  #all() {
    this.#rows.each((row) => row.update());
    this.#arrange();
    this.#rows.select(this.#model.selected);
    this.#count();
  }

  /** Show what is wanted in the order that is wanted; `anew`: from the first row on. */
  #arrange(anew = false) {
    const { nodes } = this.#model;
    const ids = nodes.filter((node) => this.#filters.match(node)).map((node) => node.id);
    this.#rows.put(this.#order.sort(ids, nodes), anew);
    this.#filters.found(ids.length, nodes.length);
    this.#empty.hidden = ids.length > 0 || nodes.length === 0;
  }

  /** Count with the next picture, however many nodes change until then. */
  #count() {
    if (this.#counting) return;
    this.#counting = true;
    requestAnimationFrame(() => {
      this.#counting = false;
      if (this.#model.task) this.#filters.counts(this.#model.task.counts);
    });
  }

  #tick() {
    const { task } = this.#model;
    if (!task || isFinal(task.state)) return;
    this.#rows.each((row) => row.tick());
    if (this.#order.key === "duration") this.#rows.soon(() => this.#arrange());
  }

  #head(key) {
    const { title } = COLUMNS[key];
    const arrow = h("span", { class: "arrow", "aria-hidden": "true" });
    const button = h("button", { type: "button", class: "plain", onclick: () => this.#sort(key) }, title, arrow);
    const cell = h("div", { class: `nodes-${key}`, role: "columnheader" }, button);
    this.#heads.set(key, cell);
    return cell;
  }

  #sort(key) {
    this.#order.toggle(key);
    const direction = this.#order.isDown ? "descending" : "ascending";
    for (const [each, cell] of this.#heads) set(cell, "aria-sort", each === this.#order.key ? direction : null);
    this.#arrange(true);
  }

  /** A slash brings one to the search, as on the page of the tasks. */
  #findKey(event) {
    if (!this.#shown || event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.("input:not([type=checkbox]), select, textarea, dialog")) return;
    event.preventDefault();
    this.#filters.focus();
  }
}
