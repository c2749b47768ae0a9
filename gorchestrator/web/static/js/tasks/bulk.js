/* What is done with the tasks that are picked: cancel, and rerun from what failed. */

import { del, key, post } from "../api.js";
import { tell, tellFault } from "../banner.js";
import { ask } from "../dialog.js";
import { byId, h, name, text } from "../dom.js";
import { plural } from "../format.js";
import { isFinal } from "../states.js";

const AT_ONCE = 3; // requests; a browser has six connections to one host, and streams take some
const NAMED = 10; // tasks in a question
const FAULTS = 5; // reasons in a message

const ACTIONS = {
  cancel: {
    fits: (task) => !isFinal(task.state),
    call: (task) => del(`/tasks/${task.id}`, { query: { digraph: false } }),
    title: "Cancel",
    done: "canceled; what runs is killed",
    danger: true,
  },
  rerun: {
    fits: (task) => isFinal(task.state) && task.state !== "success",
    call: (task) => post(`/tasks/${task.id}/rerun`, { from: "failed" }, { headers: { "Idempotency-Key": key() } }),
    title: "Rerun from failed",
    done: "started again; what succeeded is reused",
    danger: false,
  },
};

export class Bulk {
  #tasks;
  #ids = [];

  /** `tasks`: the model; `none()` is called to pick nothing any more. */
  constructor(tasks, none) {
    this.#tasks = tasks;
    for (const action of Object.keys(ACTIONS)) byId(`bulk-${action}`).addEventListener("click", () => this.#run(action, none));
    byId("bulk-none").addEventListener("click", none);
  }

  /** Show what can be done with these tasks. */
  show(ids) {
    this.#ids = ids;
    byId("bulk").hidden = !ids.length;
    text(byId("bulk-count"), `${plural(ids.length, "task")} selected`);
    for (const action of Object.keys(ACTIONS)) byId(`bulk-${action}`).disabled = !this.#fitting(action).length;
  }

  #fitting(action) {
    return this.#ids.map((id) => this.#tasks.get(id)).filter((task) => task && ACTIONS[action].fits(task));
  }

  async #run(action, none) {
    const { call, done, title, danger } = ACTIONS[action];
    const tasks = this.#fitting(action);
    const question = `${title}: ${plural(tasks.length, "task")}`;
    if (!(await ask({ title: question, body: named(tasks, this.#ids.length), action: title, danger }))) return;
    const faults = [];
    await each(tasks, async (task) => {
      try {
        await call(task);
      } catch (error) {
        faults.push(`${(task.name || task.id).slice(0, 60)}: ${error.message}`);
      }
    });
    if (tasks.length > faults.length) tell(`${plural(tasks.length - faults.length, "task")} ${done}.`);
    if (faults.length) tellFault([`${plural(faults.length, "task")} refused:`, ...faults.slice(0, FAULTS)].join("\n"));
    none();
  }
}

function named(tasks, picked) {
  const left = picked - tasks.length;
  return [
    h("ul", {}, tasks.slice(0, NAMED).map((task) => h("li", { class: "cut" }, name(task.name || task.id)))),
    tasks.length > NAMED && h("p", {}, `and ${tasks.length - NAMED} more`),
    left > 0 && h("p", { class: "muted" }, `${plural(left, "other selected task")} cannot, and will be left alone.`),
  ];
}

/** Run `action` for each item, a few at a time. */
async function each(items, action) {
  const waiting = [...items];
  const work = async () => {
    while (waiting.length) await action(waiting.shift());
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}
