/* The axis of the timeline: ticks with their times, as far as they are seen, and a line at the present moment. */

import { h, text } from "../dom.js";
import { duration } from "../format.js";

const LONG = 15 * 60_000; // milliseconds: of what takes longer one asks when it was, not after how long
const DAY = 86_400_000;

export class Axis {
  #scale;
  #now = h("div", { class: "timeline-now", hidden: true });
  #ticks = []; // {label, line}, as many as were ever needed
  #clock = null; // whether the ticks tell the time of day; null: by the length
  labels = h("div", { class: "timeline-labels", "aria-hidden": "true" });
  lines = h("div", { class: "timeline-lines", "aria-hidden": "true" }, this.#now);

  constructor(scale) {
    this.#scale = scale;
  }

  /** Whether the ticks tell the time of day, not the time since the task was accepted. */
  get isClock() {
    return this.#clock ?? this.#scale.to - this.#scale.from > LONG;
  }

  set isClock(value) {
    this.#clock = value;
  }

  /** Draw what is seen from `left` on, `width` pixels. */
  draw(left, width) {
    const { from, step } = this.#scale;
    const origin = this.isClock ? midnight(from) : from;
    const first = Math.max(from, this.#scale.instant(left - step));
    const end = this.#scale.instant(left + width);
    let used = 0;
    for (let number = Math.ceil((first - origin) / step); origin + number * step <= end; number += 1) {
      this.#tick(used, origin + number * step, step);
      used += 1;
    }
    for (const { label, line } of this.#ticks.slice(used)) label.hidden = line.hidden = true;
  }

  /** Draw the line of the present moment; null: there is none, the task has ended. */
  now(instant) {
    this.#now.hidden = instant === null;
    if (instant !== null) this.#now.style.left = `${this.#scale.x(instant)}px`;
  }

  #tick(place, instant, step) {
    const { label, line } = (this.#ticks[place] ??= this.#make());
    label.hidden = line.hidden = false;
    label.style.left = line.style.left = `${this.#scale.x(instant)}px`;
    text(label, this.isClock ? clock(instant, step) : since(instant - this.#scale.from, step));
  }

  #make() {
    const tick = { label: h("span", {}), line: h("div", {}) };
    this.labels.append(tick.label);
    this.lines.append(tick.line);
    return tick;
  }
}

/** Return the last midnight before an instant, in the viewer's zone: steps of hours then end on whole hours. */
function midnight(instant) {
  return new Date(instant).setHours(0, 0, 0, 0);
}

function clock(instant, step) {
  const day = { month: "short", day: "numeric" };
  const minute = { hour: "2-digit", minute: "2-digit" };
  const options = step >= DAY ? day : step >= 3_600_000 ? { ...day, ...minute } : step >= 60_000 ? minute : { ...minute, second: "2-digit" };
  if (step < 1000) options.fractionalSecondDigits = step < 10 ? 3 : step < 100 ? 2 : 1;
  return formatter(JSON.stringify(options)).format(instant);
}

const formatters = new Map();

function formatter(options) {
  if (!formatters.has(options)) formatters.set(options, new Intl.DateTimeFormat(undefined, JSON.parse(options)));
  return formatters.get(options);
}

function since(length, step) {
  if (!length) return "0";
  if (step >= 1000) return `+${duration(length / 1000).replace(/\.0 s$/, " s")}`;
  return step < 10 && length < 1000 ? `+${Math.round(length)} ms` : `+${(length / 1000).toFixed(step < 10 ? 3 : step < 100 ? 2 : 1)} s`;
}
