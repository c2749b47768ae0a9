/* What a node is and what came of it: facts, outputs, environment, and its attempts with their arguments as filled in. */

import { fill, h, name } from "../dom.js";
import { bytes, duration, seconds, time } from "../format.js";
import { badge } from "../states.js";

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

/** Fill `element` with the attempts of a node; `choose(number)`: shows the log of one. */
export function showAttempts(element, attempts, choose) {
  if (!attempts.length) {
    fill(element, h("p", { class: "muted" }, "none on an executor"));
    return;
  }
  const { args } = attempts.at(-1);
  fill(
    element,
    h("ol", { class: "attempts" }, attempts.map((attempt) => h("li", { value: attempt.attempt }, row(attempt, choose)))),
    args.length > 0 && [h("h3", {}, "Arguments, as filled in"), h("ol", { class: "args mono" }, args.map((arg) => h("li", { dir: "auto" }, plain(arg))))],
  );
}

function row({ attempt, state, executor, start_date, stop_date, reason, log_size }, choose) {
  return [
    h("div", { class: "attempt" }, badge(state), " ", time(start_date), start_date && ` ${duration(seconds(start_date, stop_date))}`, executor && [" on ", name(executor)]),
    reason && h("div", { dir: "auto" }, reason),
    log_size > 0 && h("button", { type: "button", class: "plain link", onclick: () => choose(attempt) }, `Log, ${bytes(log_size)}`),
  ];
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
function plain(value) {
  if (value?.secret) return `secret ${value.secret}`;
  if (value === "") return h("span", { class: "muted" }, "empty");
  return typeof value === "string" ? value : JSON.stringify(value);
}
