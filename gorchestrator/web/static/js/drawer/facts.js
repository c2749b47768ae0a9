/* What a node is and what came of it: facts, outputs, environment, options. */

import { fill, h, name, text } from "../dom.js";
import { duration, seconds, time } from "../format.js";
import { isFinal } from "../states.js";

/** Fill `element` with what a node is, and what it has produced. */
export function showFacts(element, node) {
  fill(
    element,
    list(known([
      ["Executor", node.executor],
      ["Target", node.target],
      ["Engine", node.engine],
      ["Artifact", node.artifact],
      ["Attempt", node.attempt || null],
      ["Exit code", node.exit_code],
      ["Started", node.start_date && time(node.start_date)],
      ["Ended", node.stop_date && time(node.stop_date)],
      ["Duration", node.start_date && lasting(node)],
    ])),
    titled("Outputs", node.output),
    titled("Environment", node.env),
    titled("Options", node.options),
  );
}

/** Return how long a node or an attempt ran; `tick` counts on while it runs. */
export function lasting({ state, start_date: since, stop_date: until }) {
  const dataset = until || isFinal(state) ? {} : { since };
  return h("span", { dataset }, duration(seconds(since, until)));
}

/** Bring what is `lasting` in an element up to date. */
export function tick(element) {
  for (const each of element.querySelectorAll("[data-since]")) text(each, duration(seconds(each.dataset.since, null)));
}

function titled(title, values) {
  const pairs = Object.entries(values ?? {});
  return pairs.length > 0 && [h("h3", {}, title), list(pairs.map(([key, value]) => [name(key), plain(value)]), "mono")];
}

function known(pairs) {
  return pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
}

function list(pairs, kind) {
  return h("dl", { class: "facts-of-node" }, pairs.map(([label, value]) => [h("dt", {}, label), h("dd", { dir: "auto", class: kind }, value)]));
}

/** Return a value for reading: that of a secret is never known here. */
export function plain(value) {
  if (value?.secret) return `secret ${value.secret}`;
  if (value === "") return h("span", { class: "muted" }, "empty");
  return typeof value === "string" ? value : JSON.stringify(value);
}
