/* The log of a node in the drawer: what it prints as it comes, searched, wrapped or not, and its earlier lines. */

import { url } from "../api.js";
import { tellFault } from "../banner.js";
import { fill, h, set, text } from "../dom.js";
import { Lines } from "./lines.js";
import { Search } from "./search.js";
import { LogSource } from "./source.js";

export class LogView {
  #model;
  #id = null;
  #attempt = null; // that somebody has chosen; null: the last one
  #source = null;
  #first = 0; // offset of the first byte that was read
  #read = 0; // number of the attempt
  #ended = false;
  #refusal = ""; // why the service does not give it
  #earlier = h("button", { type: "button", class: "earlier", onclick: () => this.#goBack() }, "Earlier lines");
  #lines = new Lines(this.#earlier, (elements) => this.#changed(elements));
  #search = new Search(this.#lines);
  #follow = h("button", { type: "button", onclick: () => this.#toggleFollow() }, "Follow");
  #wrap = h("button", { type: "button", "aria-pressed": "true", onclick: () => this.#toggleWrap() }, "Wrap");
  #download = h("a", { class: "button", download: "" }, "Download");
  #attempts = h("select", { "aria-label": "Attempt whose log is shown", onchange: (event) => this.choose(Number(event.target.value) || null) });
  #status = h("p", { class: "muted log-status", role: "status" });
  element = h(
    "section",
    { class: "log-part" },
    h("div", { class: "log-tools" }, h("h3", {}, "Log"), this.#attempts, this.#search.element, this.#follow, this.#wrap, this.#download),
    this.#lines.element,
    this.#status,
  );

  constructor(model) {
    this.#model = model;
  }

  /** Show the log of a node, and follow it until nothing can come any more. */
  open(id) {
    this.#id = id;
    this.choose(null);
  }

  /** Show the log of one attempt; null: of the last one, and of those that follow it. */
  choose(attempt) {
    this.close();
    this.#attempt = attempt;
    this.#first = this.#read = 0;
    this.#ended = false;
    this.#refusal = "";
    this.#lines.clear();
    this.offer(this.#model.nodes[this.#id].attempt ?? 0);
    this.#source = new LogSource(this.#path, attempt, {
      began: (number, offset) => this.#began(number, offset),
      lines: (lines, open) => this.#lines.add(lines, open),
      ended: () => this.#end(),
      refused: (problem) => this.#refuse(problem.message),
    });
    this.#show();
  }

  /** Follow nothing any more. */
  close() {
    this.#source?.close();
    this.#source = null;
  }

  /** Offer the logs of so many attempts. */
  offer(count) {
    const numbers = Array.from({ length: count }, (_, place) => place + 1);
    if (this.#attempts.childElementCount !== count + 1) {
      fill(this.#attempts, h("option", { value: "" }, "last attempt"), numbers.map((number) => h("option", { value: number }, `attempt ${number}`)));
    }
    this.#attempts.value = this.#attempt ?? "";
    this.#attempts.hidden = count < 2;
  }

  get #path() {
    return `${this.#model.pathOf(this.#id)}/log`;
  }

  #began(number, offset) {
    this.#lines.clear();
    this.#read = number;
    this.#first = offset;
    this.#show();
  }

  #end() {
    this.#ended = true;
    this.#lines.end();
    this.#show();
  }

  #refuse(words) {
    this.#refusal = words;
    this.#show();
  }

  #changed(elements) {
    const before = elements.length > 0 && elements.at(-1).nextElementSibling !== null;
    this.#search.look(elements, before);
    this.#show();
  }

  async #goBack() {
    if (this.#earlier.ariaDisabled) return;
    this.#earlier.ariaDisabled = "true"; // and not disabled: it keeps the focus
    this.#lines.follows = false;
    this.#lines.makeRoom();
    const [source, attempt, before] = [this.#source, this.#read, this.#begin];
    try {
      const lines = await source.earlier(before, attempt);
      // By now another attempt may be shown, or those lines be gone that these stand before: there is no room then.
      if (source === this.#source && attempt === this.#read && before === this.#begin) this.#lines.prepend(lines);
    } catch (error) {
      if (error.name !== "AbortError") tellFault(error);
    } finally {
      this.#earlier.ariaDisabled = null;
    }
  }

  /** The offset of the first byte that is shown: lines that were too many are gone from the page again. */
  get #begin() {
    return this.#lines.all.length ? this.#lines.first : this.#first;
  }

  #toggleFollow() {
    this.#lines.follows = !this.#lines.follows;
    this.#show();
  }

  #toggleWrap() {
    const wraps = this.#lines.element.classList.toggle("unwrapped");
    set(this.#wrap, "aria-pressed", String(!wraps));
  }

  #show() {
    if (this.#id === null) return;
    set(this.#download, "href", url(this.#path, { follow: true, attempt: this.#attempt ?? (this.#read || null) }));
    set(this.#follow, "aria-pressed", String(this.#lines.follows));
    this.#offer(this.#follow, !this.#ended && !this.#refusal);
    this.#offer(this.#earlier, this.#begin > 0 && this.#lines.hasRoom);
    text(this.#status, this.#words());
  }

  /** Show a control or not; the log takes the focus of one that goes. */
  #offer(control, isOfUse) {
    if (!isOfUse && control === document.activeElement) this.#lines.element.focus({ preventScroll: true });
    control.hidden = !isOfUse;
  }

  #words() {
    if (this.#source === null) return "";
    if (this.#refusal) return this.#refusal;
    const { isEmpty } = this.#lines;
    if (this.#ended) return isEmpty ? "It has printed nothing." : "";
    if (!this.#lines.follows) return "It goes on below. Scroll to the end, or press Follow, to see what comes.";
    return isEmpty ? "Nothing has been printed yet." : "What it prints is shown as it comes.";
  }
}
