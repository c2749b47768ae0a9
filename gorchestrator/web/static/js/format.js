/* Times and lengths of time for people: in the viewer's zone and language, exact on hover. */

import { h } from "./dom.js";

const EXACT = new Intl.DateTimeFormat(undefined, {
  dateStyle: "full",
  timeStyle: "long",
});
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
const YEAR = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" });
const NUMBER = new Intl.NumberFormat();

/** Return a date for reading: the clock alone today, else with the day. `date`: RFC 3339, or null. */
export function moment(date) {
  if (!date) return "";
  const then = new Date(date);
  const now = new Date();
  if (then.toDateString() === now.toDateString()) return CLOCK.format(then);
  return then.getFullYear() === now.getFullYear() ? DAY.format(then) : YEAR.format(then);
}

/** Return a date in full, to the microsecond as the service has it. */
export function exact(date) {
  return date ? `${EXACT.format(new Date(date))}\n${date}` : "";
}

/** Return a `<time>` that shows a moment and says the exact one on hover; a dash where there is none. */
export function time(date, attributes) {
  if (!date) return h("span", { class: "muted" }, "–");
  return h("time", { datetime: date, title: exact(date), ...attributes }, moment(date));
}

/** Return the seconds between two dates; `to` may be null: until now. Null without `from`. */
export function seconds(from, to) {
  if (!from) return null;
  return Math.max(0, ((to ? Date.parse(to) : Date.now()) - Date.parse(from)) / 1000);
}

/** Return a length of time with two units at the most: 4 ms, 0.35 s, 12.3 s, 2 m 05 s, 3 h 07 m, 2 d 04 h. */
export function duration(value) {
  if (value === null || value === undefined) return "";
  if (value < 0.0995) return value ? `${Math.max(1, Math.round(value * 1000))} ms` : "0 s";
  if (value < 1) return `${value.toFixed(2)} s`;
  if (value < 59.95) return `${value.toFixed(1)} s`;
  const whole = Math.round(value);
  const parts = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60];
  const first = parts.findIndex((part) => part > 0);
  const [larger, smaller] = [parts[first], parts[first + 1]];
  const units = ["d", "h", "m", "s"];
  return smaller === undefined
    ? `${larger} ${units[first]}`
    : `${larger} ${units[first]} ${String(smaller).padStart(2, "0")} ${units[first + 1]}`;
}

/** Return how long ago something was or since when: 12 s, 5 m, 3 h, 2 d; for texts that say the rest. */
export function rough(value) {
  const steps = [[86400, "d"], [3600, "h"], [60, "m"]];
  const [size, unit] = steps.find(([length]) => value >= length) ?? [1, "s"];
  return `${Math.floor(value / size)} ${unit}`;
}

/** Return a number with the viewer's separators. */
export function count(value) {
  return NUMBER.format(value);
}

/** Return "1 node" or "3 nodes". */
export function plural(value, word) {
  return `${count(value)} ${word}${value === 1 ? "" : "s"}`;
}

/** Return a size of bytes: 512 B, 1.5 KiB, 3.0 MiB. */
export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let step = 0;
  while (value >= 1024 && step < units.length - 1) {
    value /= 1024;
    step += 1;
  }
  return `${step ? value.toFixed(1) : value} ${units[step]}`;
}
