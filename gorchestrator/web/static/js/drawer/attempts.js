/* The attempts of a node, with the log of each, and its arguments as they were filled in. */

import { h, name } from "../dom.js";
import { bytes, time } from "../format.js";
import { badge } from "../states.js";
import { lasting, plain } from "./facts.js";
import { Part } from "./part.js";
import { Question } from "./question.js";

export class Attempts {
  #choose; #question;
  #part = new Part((data) => this.#told(data));
  element = this.#part.element;

  /** `choose(number)`: shows the log of an attempt. */
  constructor(model, choose) {
    this.#choose = choose;
    this.#question = new Question(
      (id, signal) => model.attempts(id, signal),
      (attempts) => this.#part.show({ attempts }),
      (problem) => this.#part.show({ refusal: problem.message }),
    );
  }

  /** Show those of a node. */
  ask(id) {
    this.clear();
    this.#question.ask(id);
  }

  /** There may be others by now. */
  again() {
    this.#question.again();
  }

  /** Show nothing. */
  clear() {
    this.#question.drop();
    this.#part.clear();
  }

  #told({ attempts, refusal }) {
    if (refusal) return h("p", {}, refusal);
    if (!attempts.length) return h("p", { class: "muted" }, "none on an executor");
    const { args } = attempts.at(-1);
    return [
      h("ol", { class: "attempts" }, attempts.map((attempt) => h("li", { value: attempt.attempt }, this.#row(attempt)))),
      args.length > 0 && [h("h3", {}, "Arguments, as filled in"), h("ol", { class: "args mono" }, args.map((arg) => h("li", { dir: "auto" }, plain(arg))))],
    ];
  }

  #row(row) {
    const { attempt, state, executor, start_date: start, reason, log_size } = row;
    return [
      h("div", { class: "attempt" }, badge(state), " ", time(start), start && [" ", lasting(row)], executor && [" on ", name(executor)]),
      reason && h("div", { dir: "auto" }, reason),
      log_size > 0 && h("button", { type: "button", class: "plain link", dataset: { key: attempt }, onclick: () => this.#choose(attempt) }, `Log, ${bytes(log_size)}`),
    ];
  }
}
