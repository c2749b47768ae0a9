/* The tasks of the page. An event touches only the task that it is about; its cost does not grow with the list. */

import { stateOf } from "../states.js";

export class Tasks {
  #byId = new Map();
  #changed;
  #missed = null; // events that came while a list was on its way
  #latest = null; // the list that is on its way, or was last

  /** `changed(task)` is called after each change of a task that is shown. */
  constructor(changed) {
    this.#changed = changed;
  }

  /** The tasks in the order of the list. */
  get all() {
    return [...this.#byId.values()];
  }

  /** Return a task by its id, undefined if the page does not have it. */
  get(id) {
    return this.#byId.get(id);
  }

  /** Take in what `load()` returns (`{tasks, seq}`), and what has happened since it was made. Returns it. */
  take(load) {
    const mine = this.#take(load);
    this.#latest = mine;
    return mine.then((list) => list ?? this.#latest); // whoever was overtaken gets what overtook it
  }

  async #take(load) {
    const missed = [];
    this.#missed = missed;
    const list = await load();
    if (this.#missed !== missed) return null;
    this.#missed = null;
    this.#byId = new Map(list.tasks.map((task) => [task.id, { ...task, seq: list.seq, cancelling: false }]));
    for (const event of missed) this.apply(event);
    return list;
  }

  /** Take in an event of the journal. */
  apply(event) {
    this.#missed?.push(event);
    const task = this.#byId.get(event.task);
    if (!task || event.seq <= task.seq) return;
    task.seq = event.seq;
    if (event.kind.startsWith("node_")) this.#move(task, event);
    else if (event.kind === "task_cancel") task.cancelling = true;
    else if (event.kind === "task_started" || event.kind === "task_final") this.#enter(task, event);
    this.#changed(task);
  }

  /** A node goes from one state to another. */
  #move(task, { from, state }) {
    if (from === undefined || state === undefined || from === state) return;
    const [before, after] = [stateOf(from).name, stateOf(state).name];
    task.counts[before] = Math.max(0, (task.counts[before] ?? 0) - 1);
    task.counts[after] = (task.counts[after] ?? 0) + 1;
  }

  #enter(task, event) {
    if (event.state !== undefined) task.state = stateOf(event.state).name;
    task.reason = event.reason ?? null;
    task.start_date = event.start_date ?? task.start_date ?? (event.kind === "task_started" ? event.date : null);
    if (event.kind === "task_final") task.stop_date = event.stop_date ?? event.date;
  }
}
