/* The form of the filters. It shows what the URL says and tells what somebody wants instead. */

import { byId, debounced, fill, h } from "../dom.js";
import { shape, stateClass, TASK_STATES } from "../states.js";
import { isFiltered } from "./query.js";

const TYPING = 250; // milliseconds after the last key

export class Filters {
  #wanted;
  #change;
  #between = false; // whether the two fields for times are open

  /** `change(wanted, isTyping)` is called with what is wanted from now on. */
  constructor(change) {
    this.#change = change;
    fill(byId("filter-states"), TASK_STATES.map(chip));
    byId("filter-states").addEventListener("change", () => this.#set({ states: chosenStates() }));
    byId("filter-name").addEventListener("input", debounced(() => this.#set({ name: byId("filter-name").value.trim() }, true), TYPING));
    byId("filter-label").addEventListener("change", () => this.#addLabel());
    byId("filter-range").addEventListener("change", () => this.#range(byId("filter-range").value));
    for (const key of ["since", "until"]) {
      const field = byId(`filter-${key}`); // each part of a date that is typed changes it
      field.addEventListener("change", debounced(() => this.#set({ range: "", [key]: toWire(field.value) }, true), 2 * TYPING));
    }
    byId("filters").addEventListener("submit", (event) => event.preventDefault());
    byId("filters").addEventListener("reset", (event) => {
      event.preventDefault();
      this.#between = false;
      this.#set({ states: [], name: "", labels: [], range: "", since: "", until: "" });
    });
    document.addEventListener("keydown", findKey);
  }

  /** Show what is wanted; a field in which somebody types is left alone, unless `wholly`. */
  show(wanted, wholly = false) {
    this.#wanted = wanted;
    for (const box of document.querySelectorAll("#filter-states input")) box.checked = wanted.states.includes(box.value);
    put("name", wanted.name, wholly);
    this.#between = !wanted.range && (this.#between || Boolean(wanted.since || wanted.until));
    byId("filter-range").value = this.#between ? "custom" : wanted.range;
    byId("filter-custom").hidden = !this.#between;
    for (const key of ["since", "until"]) put(key, fromWire(wanted[key]), wholly);
    fill(byId("filter-labels"), wanted.labels.map((label) => this.#chosen(label)));
    byId("filter-clear").hidden = !isFiltered(wanted);
  }

  /** Add a label to what is wanted. */
  add(label) {
    if (!this.#wanted.labels.includes(label)) this.#set({ labels: [...this.#wanted.labels, label] });
  }

  #set(changes, isTyping = false) {
    this.#change({ ...this.#wanted, cursor: "", ...changes }, isTyping);
  }

  #addLabel() {
    const field = byId("filter-label");
    const label = field.value.trim();
    field.value = "";
    if (label) this.add(label);
  }

  #range(value) {
    this.#between = value === "custom";
    this.#set({ range: this.#between ? "" : value, since: "", until: "" });
    if (this.#between) byId("filter-since").focus();
  }

  #chosen(label) {
    const button = h("button", { type: "button", class: "tag", "aria-label": `Remove the label ${label}` }, h("bdi", {}, label), " ✕");
    button.addEventListener("click", () => {
      this.#set({ labels: this.#wanted.labels.filter((other) => other !== label) });
      byId("filter-label").focus();
    });
    return button;
  }
}

function put(key, value, wholly) {
  const field = byId(`filter-${key}`);
  if (wholly || document.activeElement !== field) field.value = value;
}

function chip(state) {
  return h("label", { class: `chip ${stateClass(state)}` }, h("input", { type: "checkbox", value: state }), shape(state), state);
}

function chosenStates() {
  return [...document.querySelectorAll("#filter-states input:checked")].map((box) => box.value);
}

/** A slash brings one to the search, as in many lists, unless one is typing. */
function findKey(event) {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input:not([type=checkbox]), select, textarea, dialog *")) return;
  event.preventDefault();
  byId("filter-name").focus();
}

/** Return an instant (RFC 3339) as a field for local times has it. */
function fromWire(date) {
  const then = new Date(date);
  if (!date || Number.isNaN(then.valueOf())) return "";
  return new Date(then.valueOf() - then.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function toWire(local) {
  return local ? new Date(local).toISOString() : "";
}
