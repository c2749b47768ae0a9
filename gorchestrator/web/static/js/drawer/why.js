/* Why a node is in its state, in words, and what can be done about it: go to who is to blame, or answer what it asks. */

import { get } from "../api.js";
import { h, name, text } from "../dom.js";
import { duration, plural, seconds, time } from "../format.js";
import { stateOf } from "../states.js";
import { Part } from "./part.js";
import { Question } from "./question.js";
import { resolve } from "./resolve.js";

const TICK = 500; // milliseconds between two looks at what is left of a pause

export class Why {
  #model; #select; #question;
  #id = null; // of the node
  #until = null; // when a pause is over
  #left = h("span", { class: "number" });
  #part = new Part((why) => this.#told(why), "why");
  element = this.#part.element;

  /** `select(id)`: shows another node. */
  constructor(model, select) {
    this.#model = model;
    this.#select = select;
    this.#question = new Question(
      (id, signal) => get(`${model.pathOf(id)}/why`, { signal }),
      ({ summary, waits_for, ended_by }) => this.#show({ summary, waits_for, ended_by }),
      (problem) => this.#show({ summary: problem.message }),
    );
    setInterval(() => this.#tick(), TICK);
  }

  /** Show why a node is in its state. */
  ask(id) {
    this.clear();
    this.#id = id;
    this.#question.ask(id);
  }

  /** There may be other reasons by now. */
  again() {
    this.#question.again();
  }

  /** Show nothing. */
  clear() {
    this.#question.drop();
    this.#id = this.#until = null;
    this.#part.clear();
  }

  #show(why) {
    this.#until = why.waits_for?.until ?? null;
    this.#part.show(why);
    this.#tick();
  }

  #told({ summary, waits_for: waits, ended_by: ended }) {
    const roots = ended?.roots?.length ? ended.roots : ended?.nodes;
    const nodes = waits?.nodes ?? roots ?? [];
    const more = (waits?.all ?? nodes.length) - nodes.length;
    return [
      h("p", { dir: "auto" }, summary),
      waits?.until && h("p", {}, "Next attempt at ", time(waits.until), this.#left),
      nodes.length > 0 && h("ul", {}, nodes.map((node) => h("li", {}, this.#link(node)))),
      more > 0 && h("p", { class: "muted" }, `and ${plural(more, "node")} more`),
      waits?.others?.length > 0 && h("ul", { class: "muted" }, waits.others.map(({ name: other, reason }) => h("li", { dir: "auto" }, `not on '${other}': ${reason}`))),
      waits?.kind === "answer" && this.#answers(waits),
    ];
  }

  #answers({ how }) {
    const id = this.#id;
    const button = (as, label) => h("button", { type: "button", dataset: { key: as, needs: "operator" }, onclick: () => resolve(this.#model, id, as) }, label);
    return [
      h("div", { class: "answers" }, button("success", "It succeeded …"), button("failure", "It failed …"), button("retry", "Run it again …")),
      h("p", { class: "muted" }, "or ", h("code", {}, how)),
    ];
  }

  #link(node) {
    return [
      h("button", { type: "button", class: "plain link", dataset: { key: node.node }, onclick: () => this.#select(node.node) }, name(node.name)),
      ` ${stateOf(node.state).name}`,
    ];
  }

  #tick() {
    if (this.#until === null) return;
    const left = Math.max(0, seconds(new Date().toISOString(), this.#until));
    text(this.#left, left ? `, in ${duration(Math.ceil(left))}` : ", now");
  }
}
