/* One row of the table. */

import { fill, h, name, set, text } from "../dom.js";
import { duration, seconds, time } from "../format.js";
import { badge, isFinal } from "../states.js";
import { Bar } from "../bar.js";

export class Row {
  #bar = new Bar();
  #shown = {};
  #state = h("td", { class: "state" });
  #reason = h("span", { class: "reason muted", dir: "auto" });
  #started = h("td", { class: "middle nowrap" });
  #duration = h("td", { class: "number" });
  #box;

  /** `picked(id, isPicked)` and `labelled(label)` are called when somebody picks the row or clicks on a label. */
  constructor(task, { picked, labelled }) {
    this.id = task.id;
    this.#box = h("input", { type: "checkbox", "aria-label": `Select ${task.name || task.id}`.slice(0, 200) });
    this.#box.addEventListener("change", () => picked(task.id, this.#box.checked));
    this.element = h(
      "tr",
      { dataset: { task: task.id } },
      h("td", { class: "pick" }, this.#box),
      this.#state,
      h("td", { class: "name" }, link(task), again(task), this.#reason),
      h("td", { class: "progress-cell" }, this.#bar.element),
      h("td", { class: "wide labels" }, labels(task.labels, labelled)),
      h("td", { class: "wide nowrap" }, time(task.accepted_date)),
      this.#started,
      this.#duration,
    );
    this.update(task);
  }

  /** Show a task as it is now; what did not change is not touched. */
  update(task) {
    this.#bar.show(task.counts, task.size);
    const word = `${task.state} ${task.cancelling}`;
    if (this.#shown.word !== word) {
      const cancelling = task.cancelling && !isFinal(task.state);
      fill(this.#state, badge(task.state), cancelling && h("span", { class: "muted" }, "being canceled"));
    }
    if (this.#shown.start !== task.start_date) fill(this.#started, time(task.start_date));
    text(this.#reason, task.reason ?? "");
    set(this.#reason, "title", task.reason);
    this.#shown = { word, start: task.start_date };
    this.tick(task);
  }

  /** Show how long the task has been running. */
  tick(task) {
    text(this.#duration, duration(seconds(task.start_date, task.stop_date)) || "–");
  }

  /** Show whether it is picked. */
  pick(isPicked) {
    this.#box.checked = isPicked;
    this.element.classList.toggle("picked", isPicked);
  }
}

function link(task) {
  return h("a", { href: `/tasks/${task.id}`, class: "task", title: `${task.name}\n${task.id}` }, name(task.name || task.id));
}

function again({ rerun_of: first }) {
  return first && h("a", { href: `/tasks/${first}`, class: "tag", title: `a rerun of ${first}` }, "↻ rerun");
}

function labels(found, labelled) {
  return Object.entries(found ?? {}).map(([key, value]) => {
    const label = `${key}=${value}`;
    const button = h("button", { type: "button", class: "tag", title: `only tasks with ${label}` }, h("bdi", {}, label));
    button.addEventListener("click", () => labelled(label));
    return button;
  });
}
