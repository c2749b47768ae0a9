/* What a node is and what came of it: facts, outputs, environment, options. */

import { fill, h, name } from "../dom.js";
import { duration, seconds, time } from "../format.js";

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
      ["Duration", node.start_date && duration(seconds(node.start_date, node.stop_date))],
    ])),
    titled("Outputs", node.output),
    titled("Environment", node.env),
    titled("Options", node.options),
  );
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
