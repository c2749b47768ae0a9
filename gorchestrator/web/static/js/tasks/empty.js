/* What stands in place of the table where it has no rows. */

import { byId, fill, h } from "../dom.js";

/** Say why there are no tasks: none at all, or none that the filters leave; null hides it. `clear()`: no filters. */
export function showEmpty(why, clear) {
  const place = byId("empty");
  place.hidden = why === null;
  byId("tasks").hidden = why !== null;
  if (why === "none") fill(place, ...howToSubmit());
  if (why === "filtered") fill(place, h("p", {}, h("strong", {}, "No task is like that.")), clearing(clear));
}

/** Say that the service refused what the URL asks for. */
export function showRefused(problem, clear) {
  const place = byId("empty");
  place.hidden = false;
  byId("tasks").hidden = true;
  fill(place, h("p", { dir: "auto" }, h("strong", {}, "The list cannot be shown. "), problem.message), clearing(clear));
}

function clearing(clear) {
  return h("button", { type: "button", onclick: clear }, "Show all tasks");
}

function howToSubmit() {
  const document = '{"name": "hello", "nodes": [{"name": "greet", "engine": "shell", "artifact": "echo", "args": ["hello"]}]}';
  return [
    h("p", {}, h("strong", {}, "There is no task yet.")),
    h("p", {}, h("a", { href: "/submit" }, "Submit a gorch"), " here, or from a terminal:"),
    h("pre", { tabindex: 0 }, `curl -H 'Content-Type: application/json' -d '${document}' ${location.origin}/v1/tasks`),
    h("p", { class: "muted" }, "It appears here by itself."),
  ];
}
