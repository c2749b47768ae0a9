/* One executor: whether it is there, how busy it is, and what its engines say of themselves. */

import { fill, h, name } from "../dom.js";
import { rough, seconds, time } from "../format.js";

const TICK = "M13 3.5 6.5 12 3 8.6l1.3-1.3 2.1 2L11.6 2.4Z"; // on 16 by 16
const CROSS = "M4.2 3 8 6.8 11.8 3 13 4.2 9.2 8l3.8 3.8-1.2 1.2L8 9.2 4.2 13 3 11.8 6.8 8 3 4.2Z";
const COLUMNS = ["Engine", "Can work", "Why not, and the keys of a node that it takes"];

export class Card {
  #parts = { presence: h("div", { class: "presence" }), address: h("p", { class: "address wide" }), state: h("div", { class: "wide" }), engines: h("div", { class: "wide" }) };
  #shown = {};
  element;

  constructor({ name: called }) {
    const label = { class: "panel executor", "aria-label": `Executor ${called}` };
    const { presence, address, state, engines } = this.#parts;
    this.element = h("section", label, h("h2", {}, name(called)), presence, address, state, engines);
  }

  /** Show an executor as a ping tells of it; a part that is as it was keeps its focus and its selection. */
  show(executor) {
    const { reachable, reason, since, capacity, load, engines, url, labels, weight, default: all } = executor;
    this.element.classList.toggle("away", !reachable);
    this.#part("presence", [reachable, since, rough(seconds(since) ?? 0)], () => presence(executor));
    this.#part("address", [url, labels, weight, all], () => address(executor));
    this.#part("state", [reason, capacity, load], () => (reachable ? places(executor) : h("p", { dir: "auto" }, reason)));
    this.#part("engines", engines, () => engines && list(engines, this.#isOpen()));
  }

  #isOpen() {
    return this.#parts.engines.querySelector("details")?.open ?? true;
  }

  #part(which, seen, make) {
    const shown = JSON.stringify(seen);
    if (shown === this.#shown[which]) return;
    this.#shown[which] = shown;
    fill(this.#parts[which], make());
  }
}

function presence({ reachable, since }) {
  const word = reachable ? "reachable" : "not reachable";
  const age = since ? h("span", { class: "muted" }, " since ", time(since), ` (${rough(seconds(since))})`) : null;
  return h("p", { class: `badge state-${reachable ? "success" : "failure"}` }, mark(reachable), word, age);
}

/** Where it is, and whom it is for beside nodes that name it. */
function address({ url, labels, weight, default: all }) {
  const tags = labels.map((label) => h("span", { class: "tag", title: "a target that it takes beside its name" }, name(label)));
  const rest = [all ? null : "only for its name and labels", weight === 1 ? null : `weight ${weight}`].filter(Boolean).join(" · ");
  return [h("span", { class: "mono" }, name(url)), ...tags.flatMap((tag) => [" ", tag]), rest && h("span", { class: "muted" }, ` ${rest}`)];
}

function mark(good) {
  return h("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, h("path", { d: good ? TICK : CROSS }));
}

function places({ capacity, load }) {
  const meter = h("div", {
    class: "load",
    role: "meter",
    "aria-label": "Load",
    "aria-valuemin": 0,
    "aria-valuemax": capacity,
    "aria-valuenow": Math.min(load, capacity),
    "aria-valuetext": `${load} of ${capacity} places`,
  }, h("span", { style: { width: `${Math.min(100, (100 * load) / capacity)}%` } }));
  return h("div", { class: "places" }, meter, h("span", { class: "number" }, `${load} of ${capacity} places taken`));
}

function list(found, open) {
  const names = Object.keys(found).sort();
  const able = names.filter((engine) => found[engine].ok).length;
  const summary = h("summary", {}, `${able} of ${names.length} engines can work`);
  const rows = names.map((engine) => row(engine, found[engine]));
  const heads = h("tr", {}, COLUMNS.map((title) => h("th", { scope: "col" }, title)));
  const caption = h("caption", { class: "out-of-sight" }, "Engines");
  const table = h("table", { class: "engines" }, caption, h("thead", { class: "out-of-sight" }, heads), h("tbody", {}, rows));
  return h("details", { open }, summary, table);
}

function row(engine, { ok, reason, fields }) {
  return h(
    "tr",
    {},
    h("th", { scope: "row", title: engine }, name(engine)),
    h("td", { class: `badge state-${ok ? "success" : "failure"}` }, mark(ok), ok ? "works" : "cannot work"),
    h("td", {}, reason ? h("span", { class: "reason", dir: "auto" }, reason) : null, keys(fields ?? [])),
  );
}

/** The keys of a node that an engine takes, its options apart. */
function keys(fields) {
  const plain = fields.filter((field) => !field.startsWith("options."));
  const options = fields.filter((field) => field.startsWith("options.")).map((field) => field.slice("options.".length));
  const words = (names) => h("span", { class: "mono" }, names.join(", "));
  const others = options.length ? [" · options ", words(options)] : null;
  return h("span", { class: "fields muted" }, plain.length ? words(plain) : "no keys", others);
}
