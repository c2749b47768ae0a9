/* The table of tasks: its rows in the order of the list, its head that sorts, and what is picked. */

import { byId, h, set } from "../dom.js";
import { isFinal } from "../states.js";
import { Row } from "./row.js";

// What each column sorts by: its title, and the order that one wants first.
const COLUMNS = {
  state: ["State", ""],
  name: ["Name", ""],
  accepted: ["Accepted", "-"],
  started: ["Started", "-"],
  duration: ["Duration", "-"],
};

export class Table {
  #rows = new Map();
  #dirty = new Set();
  #picked = new Set();
  #body = byId("rows");
  #all = byId("select-all");
  #tasks;
  #on;

  /** `tasks`: the model; `on`: `sorted(order)`, `labelled(label)`, `picked(ids)`. */
  constructor(tasks, on) {
    this.#tasks = tasks;
    this.#on = on;
    for (const cell of document.querySelectorAll("#tasks th[data-sort]")) this.#head(cell);
    this.#all.addEventListener("change", () => this.pick(this.#all.checked ? [...this.#rows.keys()] : []));
    setInterval(() => this.#tick(), 1000);
  }

  /** Show the model's tasks in their order; rows that stay are kept, with the focus that may be in them. */
  show() {
    const shown = new Map();
    let next = this.#body.firstChild;
    for (const task of this.#tasks.all) {
      const row = this.#rows.get(task.id) ?? this.#make(task);
      row.update(task);
      shown.set(task.id, row);
      if (row.element === next) next = next.nextSibling;
      else this.#body.insertBefore(row.element, next);
    }
    for (const [id, row] of this.#rows) if (!shown.has(id)) row.element.remove();
    this.#rows = shown;
    this.pick([...this.#picked].filter((id) => shown.has(id)));
  }

  /** Show a task that has changed, with all others that change before the next picture. */
  changed(task) {
    if (!this.#dirty.size) requestAnimationFrame(() => this.#paint());
    this.#dirty.add(task.id);
  }

  /** Show by what the list is sorted. */
  sorted(order) {
    const by = order.replace("-", "");
    for (const cell of document.querySelectorAll("#tasks th[data-sort]")) {
      const direction = order.startsWith("-") ? "descending" : "ascending";
      set(cell, "aria-sort", cell.dataset.sort === by ? direction : null);
    }
  }

  /** Pick these tasks and no others. */
  pick(ids) {
    this.#picked = new Set(ids);
    for (const [id, row] of this.#rows) row.pick(this.#picked.has(id));
    this.#all.disabled = this.#rows.size === 0; // a click before there are rows would seem to do nothing
    this.#all.checked = this.#rows.size > 0 && this.#picked.size === this.#rows.size;
    this.#all.indeterminate = this.#picked.size > 0 && !this.#all.checked;
    this.#on.picked([...this.#picked]);
  }

  #make(task) {
    return new Row(task, {
      labelled: this.#on.labelled,
      picked: (id, isPicked) => {
        const others = [...this.#picked].filter((other) => other !== id);
        this.pick(isPicked ? [...others, id] : others);
      },
    });
  }

  #head(cell) {
    const [title, first] = COLUMNS[cell.dataset.sort];
    const button = h("button", { type: "button", class: "plain sort" }, title, h("span", { class: "arrow", "aria-hidden": "true" }));
    button.addEventListener("click", () => {
      const down = cell.getAttribute("aria-sort") === "descending";
      const up = cell.getAttribute("aria-sort") === "ascending";
      const sign = down ? "" : up ? "-" : first;
      this.#on.sorted(sign + cell.dataset.sort);
    });
    cell.append(button);
  }

  #paint() {
    for (const id of this.#dirty) {
      const task = this.#tasks.get(id);
      if (task) this.#rows.get(id)?.update(task);
    }
    if ([...this.#dirty].some((id) => this.#picked.has(id))) this.#on.picked([...this.#picked]);
    this.#dirty.clear();
  }

  #tick() {
    for (const [id, row] of this.#rows) {
      const task = this.#tasks.get(id);
      if (task?.start_date && !isFinal(task.state)) row.tick(task);
    }
  }
}
