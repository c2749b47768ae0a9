/* What a node prints, as it comes. Only so many lines are kept on the page; the raw log can be downloaded. */

import { call } from "../api.js";
import { h } from "../dom.js";

const LINES = 5000; // kept on the page
const WAIT = 20; // seconds for which one request waits for more
const PAUSE = 1500; // milliseconds after a fault

export class LogView {
  #model;
  #lines = h("pre", { class: "log", tabindex: 0, role: "log", "aria-label": "Log", "aria-live": "off", dir: "auto" });
  #search = h("input", { type: "search", placeholder: "search the log", "aria-label": "Search the log" });
  #abort = null;
  #texts = [];
  element = h("section", { class: "log-part" }, h("h3", {}, "Log"), this.#search, this.#lines);

  constructor(model) {
    this.#model = model;
    this.#search.addEventListener("input", () => this.#draw());
  }

  /** Show the log of a node, and follow it until nothing can come any more. */
  open(id) {
    this.close();
    this.#abort = new AbortController();
    this.#texts = [""];
    this.#draw();
    this.#follow(id, this.#abort.signal);
  }

  /** Follow nothing any more. */
  close() {
    this.#abort?.abort();
    this.#abort = null;
  }

  async #follow(id, signal) {
    const path = `${this.#model.path}/nodes/${id}/log`;
    let query = { tail: LINES };
    let attempt = 0;
    let decoder = new TextDecoder();
    while (!signal.aborted) {
      try {
        const answer = await call("GET", path, { query, signal, headers: { Prefer: `wait=${WAIT}`, Accept: "*/*" } });
        const number = Number(answer.headers.get("Gorch-Log-Attempt"));
        if (attempt && number !== attempt) {
          attempt = number;
          decoder = new TextDecoder();
          query = { offset: 0 };
          this.#add(`\n── attempt ${number}\n`);
          continue;
        }
        attempt = number;
        query = { offset: Number(answer.headers.get("Gorch-Log-Next")) };
        this.#add(decoder.decode(await answer.arrayBuffer(), { stream: true }));
        if (answer.headers.get("Gorch-Log-Complete") === "true") return;
      } catch (error) {
        if (error.name === "AbortError") return;
        if (error.name === "Problem" && error.status < 500) return;
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    }
  }

  #add(text) {
    if (!text) return;
    const [first, ...rest] = text.split("\n");
    this.#texts[this.#texts.length - 1] += first;
    this.#texts.push(...rest);
    this.#texts = this.#texts.slice(-LINES);
    this.#draw();
  }

  #draw() {
    const wanted = this.#search.value.toLowerCase();
    const atEnd = this.#lines.scrollTop + this.#lines.clientHeight >= this.#lines.scrollHeight - 20;
    const shown = wanted ? this.#texts.filter((line) => line.toLowerCase().includes(wanted)) : this.#texts;
    this.#lines.textContent = shown.join("\n").replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, "");
    if (atEnd) this.#lines.scrollTop = this.#lines.scrollHeight;
  }
}
