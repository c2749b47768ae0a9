/* Checks the text while it is typed. The latest text wins: what is on its way for an older one is dropped. */

import { call, Problem, Unreachable } from "../api.js";
import { connection } from "../banner.js";
import { debounced } from "../dom.js";
import { DRAWN } from "./drawing.js";
import { Lines, locate } from "./places.js";
import { NotJson, scan } from "./scanner.js";

const TYPING = 250; // milliseconds after the last key
const LARGE = 200_000; // characters: a larger text is checked after a longer pause
const AGAIN = 2000; // milliseconds until a service that is away is asked again
const ME = {};

/**
 * Look for faults. `limit`: bytes of a text that the service takes. `found(result)` is called with
 *
 * `{kind: "empty"}`, `{kind: "checking"}`, `{kind: "away"}` (the service does not answer),
 * `{kind: "faulty", faults}` (a list of `{detail, pointer, from, to, line, column}`; without a place where it has none), or
 * `{kind: "valid", answer, nodes}` (the answer of the service, and the nodes of the document).
 */
export class Check {
  #found;
  #text = "";
  #limit;
  #aborting = new AbortController();
  #timer = 0;
  #soon = debounced(() => this.now(), TYPING);
  #later = debounced(() => this.now(), 4 * TYPING);

  constructor(limit, found) {
    this.#limit = limit;
    this.#found = found;
  }

  /** Check a text once its author makes a pause. */
  text(text) {
    this.#stop();
    this.#text = text;
    if (text.trim()) (text.length > LARGE ? this.#later : this.#soon)();
    else this.now();
  }

  /** Check it at once. */
  now() {
    this.#stop();
    if (!this.#text.trim()) this.#found({ kind: "empty" });
    else {
      const fault = sizeFault(this.#text, this.#limit) ?? syntaxFault(this.#text);
      if (fault) this.#found({ kind: "faulty", faults: [fault] });
      else this.#ask(this.#text);
    }
  }

  /** Take in what the service answered to the text when it was submitted. */
  refused(problem) {
    this.#stop();
    this.#found({ kind: "faulty", faults: faultsOf(problem, this.#text) });
  }

  #stop() {
    this.#aborting.abort();
    clearTimeout(this.#timer);
  }

  /** Ask the service; `drawn`: for the drawing too, if the graph is not too large for one. */
  async #ask(text, drawn = true) {
    this.#aborting = new AbortController();
    const { signal } = this.#aborting;
    this.#found({ kind: "checking" });
    try {
      const { nodes } = JSON.parse(text);
      const layout = drawn && Array.isArray(nodes) && nodes.length <= DRAWN;
      const answer = await (await call("POST", "/validate", { query: { layout: layout || null }, body: text, signal })).json();
      connection(ME, true);
      if (!signal.aborted) this.#found({ kind: "valid", answer, nodes });
    } catch (error) {
      if (error.name === "AbortError" || signal.aborted) return;
      if (error.type === "no-layout") this.#ask(text, false);
      else this.#failed(error, text);
    }
  }

  #failed(error, text) {
    const isAway = error instanceof Unreachable || (error instanceof Problem && error.status >= 500);
    if (!isAway && !(error instanceof Problem)) throw error;
    connection(ME, !isAway);
    if (isAway) {
      this.#found({ kind: "away" });
      this.#timer = setTimeout(() => this.now(), AGAIN);
    } else this.#found({ kind: "faulty", faults: faultsOf(error, text) });
  }
}

/** Return what is wrong with the size of a text, undefined if nothing is. */
export function sizeFault(text, limit) {
  if (text.length * 3 <= limit) return undefined; // a character has three bytes at the most
  const size = new Blob([text]).size;
  return size > limit ? { detail: `has ${size} bytes; this service takes at most ${limit} (setting body_limit)`, pointer: "" } : undefined;
}

function syntaxFault(text) {
  try {
    scan(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    const to = Math.min(error.at + 1, text.length);
    return { detail: error.message, pointer: "", from: error.at, to, ...new Lines(text).at(error.at) };
  }
}

/** Return the faults of a problem, each with its place in the text, in the order of the text. */
function faultsOf(problem, text) {
  if (!problem.errors.length) return [{ detail: problem.message, pointer: "" }];
  const places = locate(text, problem.errors.map(({ pointer }) => pointer));
  const lines = new Lines(text);
  const faults = problem.errors.map(({ pointer, detail }) => {
    const place = places.get(pointer);
    return { detail, pointer, ...place, ...lines.at(place.from) };
  });
  return faults.sort((one, other) => one.from - other.from);
}
