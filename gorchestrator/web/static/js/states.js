/* The states of tasks and nodes: numbers, names, and the shape of each, so that nobody depends on colours. */

import { h } from "./dom.js";

// `path`: an SVG path on 16 by 16, filled with the rule evenodd; canvases draw it as `new Path2D(path)`.
const DISC = "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Z";
const STATES = [
  { number: 0, name: "initial", glyph: "○", path: `${DISC}M8 2.8a5.2 5.2 0 1 0 0 10.4A5.2 5.2 0 0 0 8 2.8Z` },
  { number: 1, name: "torun", glyph: "◔", path: `${DISC}M8 2.8a5.2 5.2 0 1 0 0 10.4A5.2 5.2 0 0 0 8 2.8ZM7.2 4.4h1.6v3.3l2.4 1.4-.8 1.4-3.2-1.9Z` },
  { number: 2, name: "running", glyph: "▶", path: `${DISC}M6.2 4.6v6.8L11.8 8Z` },
  { number: 3, name: "success", glyph: "✓", path: `${DISC}M11.3 4.9 7 9.4 4.8 7.2 3.6 8.4 7 11.8l5.5-5.7Z` },
  { number: 4, name: "failure", glyph: "✕", path: "M5 1h6l4 4v6l-4 4H5l-4-4V5ZM5.9 4.7 4.7 5.9 6.8 8l-2.1 2.1 1.2 1.2L8 9.2l2.1 2.1 1.2-1.2L9.2 8l2.1-2.1-1.2-1.2L8 6.8Z" },
  { number: 5, name: "notrunnable", glyph: "⊘", path: `${DISC}M8 2.8c-1.1 0-2.2.4-3 1l7.2 7.2A5.2 5.2 0 0 0 8 2.8ZM3.8 5A5.2 5.2 0 0 0 11 12.2Z` },
  { number: 6, name: "skipped", glyph: "»", path: "M2 3.2 7 8l-5 4.8V10l2.2-2L2 6ZM8.5 3.2l5 4.8-5 4.8V10l2.2-2-2.2-2Z" },
  { number: 10, name: "timeout", glyph: "⧗", path: "M3 1h10v2.6L9.6 8l3.4 4.4V15H3v-2.6L6.4 8 3 3.6ZM5 13.2h6L8 9.6ZM5.4 2.8 8 6.2l2.6-3.4Z" },
  { number: 11, name: "canceled", glyph: "■", path: "M3.5 1.5h9a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-9a2 2 0 0 1-2-2v-9a2 2 0 0 1 2-2ZM5 7v2h6V7Z" },
];

const BY_NUMBER = new Map(STATES.map((state) => [state.number, state]));
const BY_NAME = new Map(STATES.map((state) => [state.name, state]));
const UNKNOWN = BY_NUMBER.get(0);

/** The states of tasks, in the order in which filters show them. */
export const TASK_STATES = ["initial", "running", "success", "failure", "timeout", "canceled"];

/** The order of the parts of a progress bar: what is done, what goes wrong, what runs, what waits. */
export const BAR_ORDER = ["success", "skipped", "failure", "timeout", "notrunnable", "canceled", "running", "torun", "initial"];

/** Return a state `{number, name, glyph, path}` by its number or its name. */
export function stateOf(value) {
  return BY_NUMBER.get(value) ?? BY_NAME.get(value) ?? UNKNOWN;
}

/** Whether nothing can follow a state, given as number or name. */
export function isFinal(value) {
  return stateOf(value).number >= 3;
}

/** Return the class that sets the colour of a state as the CSS variable --state. */
export function stateClass(value) {
  return `state-${stateOf(value).name}`;
}

/** Return the shape of a state as an SVG element in its colour; it says nothing to screen readers. */
export function shape(value) {
  const state = stateOf(value);
  return h(
    "svg",
    { class: `shape state-${state.name}`, viewBox: "0 0 16 16", "aria-hidden": "true" },
    h("path", { d: state.path, "fill-rule": "evenodd" }),
  );
}

/** Return a badge: shape and name of a state. */
export function badge(value) {
  const state = stateOf(value);
  return h("span", { class: `badge state-${state.name}` }, shape(value), h("span", { class: "word" }, state.name));
}

/** Return the colour of each state by its name, as the theme in force has it: for canvases. */
export function colours() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(STATES.map(({ name }) => [name, style.getPropertyValue(`--state-${name}`).trim()]));
}
