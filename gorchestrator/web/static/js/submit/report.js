/* Shows what a check has found: a summary that screen readers say, the faults beside their lines, the executors. */

import { byId, fill, h, name, text } from "../dom.js";
import { count, plural } from "../format.js";
import { shape } from "../states.js";

export class Report {
  #jump;
  #busy = 0;

  /** `jump(from, to)` brings one to a place of the text. */
  constructor(jump) {
    this.#jump = jump;
  }

  /** Show a result of `Check`. */
  show(result) {
    clearTimeout(this.#busy);
    if (result.kind === "checking") {
      this.#busy = setTimeout(() => say(null, "Checking …"), 500); // most answers are there before
      return;
    }
    const faults = result.faults ?? [];
    const takers = result.answer?.executors ?? [];
    fill(byId("faults"), faults.map((fault) => this.#fault(fault)));
    byId("faults").hidden = !faults.length;
    fill(byId("takers"), takers.map(taker));
    byId("takers").hidden = takers.every((each) => each.takes);
    if (result.kind === "empty") say(null, "Nothing is written yet.");
    if (result.kind === "away") say("torun", "The service does not answer; this text is not checked yet.");
    if (result.kind === "faulty") say("failure", plural(faults.length, "fault"));
    if (result.kind === "valid") say("success", ...inWords(result.answer));
  }

  /** Bring the focus to the first fault. Returns whether there is one. */
  focusFault() {
    const first = byId("faults").querySelector("button");
    first?.focus();
    return Boolean(first);
  }

  #fault({ detail, pointer, from, to, line, column }) {
    const where = pointer ? h("code", { class: "muted" }, name(pointer)) : null;
    const what = h("span", { class: "what", dir: "auto" }, detail);
    if (!line) return h("li", {}, h("p", {}, what, where));
    const place = h("span", { class: "number mono" }, `${line}:${column}`);
    const label = `Line ${line}, column ${column}: ${pointer} ${detail}`;
    return h("li", {}, h("button", { type: "button", "aria-label": label, onclick: () => this.#jump(from, to) }, place, what, where));
  }
}

function say(state, ...words) {
  const key = words.map((word) => word.textContent ?? word).join("");
  const summary = byId("summary");
  if (summary.dataset.said === `${state}${key}`) return; // the same again is not said again
  summary.dataset.said = `${state}${key}`;
  fill(summary, state ? h("span", { class: `badge state-${state}` }, shape(state)) : null, h("span", {}, words));
}

function inWords({ nodes, edges, layers, critical_path: longest, executors }) {
  const measures = [plural(nodes, "node"), plural(edges, "edge"), plural(layers.length, "layer"), `longest path ${count(longest.length)}`];
  const able = executors.filter((each) => each.takes);
  const whose = able.length ? [" Executors that take it: ", able.map((each, place) => [place ? ", " : "", name(each.name)]), "."] : [" No executor takes it now."];
  return [`Valid: ${measures.join(", ")}.`, ...whose.flat(Infinity)];
}

function taker({ name: called, takes, reason }) {
  const item = h("li", {}, shape(takes ? "success" : "failure"), h("strong", {}, name(called)), " ");
  item.append(h("span", { dir: "auto" }, takes ? "takes it" : ""));
  if (!takes) text(item.lastChild, reason ?? "does not take it");
  return item;
}
