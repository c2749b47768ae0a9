/* What is above the table: a search, and one box for each state in which nodes are, with their number. */

import { debounced, h, set, text } from "../dom.js";
import { count, plural } from "../format.js";
import { BAR_ORDER, shape, stateClass, stateOf } from "../states.js";

const TYPING = 150; // milliseconds after the last key

export class Filters {
  #field = h("input", { type: "search", class: "nodes-search", placeholder: "Search", "aria-label": "Search nodes" });
  #states = h("div", { class: "nodes-chips", role: "group", "aria-label": "States" });
  #found = h("span", { class: "muted number", role: "status" });
  #chips = new Map(); // by state
  #chosen = new Set();
  #words = "";
  #change;
  element = h("div", { class: "nodes-filters" }, this.#field, this.#states, this.#found);

  /** `change()` is called when others are wanted. */
  constructor(change) {
    this.#change = change;
    set(this.#field, "title", "in names, targets, engines, artifacts and reasons");
    this.#field.addEventListener("input", debounced(() => this.#search(), TYPING));
  }

  /** Whether an event of a node can change what is found. */
  get isLive() {
    return this.#chosen.size > 0 || this.#words !== "";
  }

  focus() {
    this.#field.focus();
  }

  /** Want all nodes again. */
  clear() {
    this.#field.value = this.#words = "";
    this.#chosen.clear();
    for (const chip of this.#chips.values()) chip.box.checked = false;
    this.#change();
  }

  /** Whether a node is wanted. */
  match(node) {
    if (this.#chosen.size && !this.#chosen.has(stateOf(node.state).name)) return false;
    if (!this.#words) return true;
    return [node.name, node.engine, node.target, node.artifact, node.reason].some((part) => part?.toLowerCase().includes(this.#words));
  }

  /** Show how many nodes are in which state (`counts`: by its name). */
  counts(counts) {
    for (const state of BAR_ORDER) {
      const number = counts[state] ?? 0;
      if (!number && !this.#chips.has(state)) continue;
      const chip = this.#chips.get(state) ?? this.#add(state);
      text(chip.number, count(number));
      chip.element.hidden = !number && !this.#chosen.has(state);
    }
  }

  /** Show how many of all nodes were found. */
  found(some, all) {
    text(this.#found, some === all ? plural(all, "node") : `${count(some)} of ${plural(all, "node")}`);
  }

  #search() {
    this.#words = this.#field.value.trim().toLowerCase();
    this.#change();
  }

  #add(state) {
    const box = h("input", { type: "checkbox", value: state });
    const number = h("span", { class: "muted" });
    const element = h("label", { class: `nodes-chip ${stateClass(state)}` }, box, shape(state), `${state} `, number);
    box.addEventListener("change", () => {
      this.#chosen[box.checked ? "add" : "delete"](state);
      this.#change();
    });
    const chip = { box, number, element };
    this.#chips.set(state, chip);
    this.#states.append(...BAR_ORDER.flatMap((each) => this.#chips.get(each)?.element ?? []));
    return chip;
  }
}
