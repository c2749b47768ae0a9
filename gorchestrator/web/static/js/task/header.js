/* The head of a task's page: what it is, how far it is, and what can be done with it. */

import { byId, fill, h, name, text } from "../dom.js";
import { duration, seconds, time } from "../format.js";
import { badge, isFinal } from "../states.js";
import { Bar } from "../bar.js";

export class Header {
  #model;
  #bar = new Bar();
  #shown = ""; // what the badge shows
  #dirty = false;

  constructor(model) {
    this.#model = model;
    byId("progress").append(this.#bar.element);
    model.listen(({ kind }) => {
      if (kind === "whole" || kind === "task") this.#show();
      else if (kind === "node") this.#soon();
    });
    setInterval(() => this.#tick(), 500);
  }

  /** Show the bar once a frame, however many nodes have changed. */
  #soon() {
    if (this.#dirty) return;
    this.#dirty = true;
    requestAnimationFrame(() => {
      this.#dirty = false;
      this.#bar.show(this.#model.task.counts, this.#model.task.size);
    });
  }

  #show() {
    const { task } = this.#model;
    document.title = `${task.name || task.id.slice(0, 8)} · gorchestrator`;
    fill(byId("name"), name(task.name || task.id.slice(0, 8)));
    byId("name").title = task.name;
    const cancelling = task.cancel_date !== null && !isFinal(task.state);
    const shown = `${task.state} ${cancelling}`;
    if (this.#shown !== shown) fill(byId("state"), badge(task.state), cancelling && h("span", { class: "muted" }, "being canceled"));
    this.#shown = shown;
    fill(byId("labels"), Object.entries(task.labels).map(label));
    const origin = task.rerun_of && h("a", { href: `/tasks/${task.rerun_of}` }, `rerun of ${task.rerun_of.slice(0, 8)}`);
    fill(byId("facts"), "started ", time(task.start_date), origin && [" · ", origin], ` · ${task.id}`);
    text(byId("reason"), task.reason ?? "");
    byId("cancel").hidden = isFinal(task.state);
    byId("cancel").disabled = task.cancel_date !== null;
    byId("rerun").hidden = !isFinal(task.state) || task.state === 3;
    byId("rerun-all").hidden = task.state !== 3;
    this.#soon();
    this.#tick();
  }

  #tick() {
    const { task } = this.#model;
    if (task) text(byId("duration"), duration(seconds(task.start_date, task.stop_date)));
  }
}

function label([key, value]) {
  const shown = value ? `${key}=${value}` : key;
  return h("a", { class: "tag", href: `/?${new URLSearchParams({ label: shown })}` }, h("bdi", { class: "cut" }, shown));
}
