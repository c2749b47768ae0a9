/* Where an instant is on the timeline. Instants are milliseconds since the epoch, places are pixels of the lanes. */

const SHORTEST = 20; // milliseconds that a view shows at the least
const LARGEST = 4_000_000; // pixels; browsers lose their way far beyond
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500];
const SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200];
const DAY = 86_400_000;
const APART = 96; // pixels between two ticks, at least

export class Scale {
  from = 0;
  to = SHORTEST;
  isFitted = true;
  #room = 1; // pixels
  #perMs = 1;

  /** Show the time between two instants. */
  span(from, to) {
    this.from = from;
    this.to = Math.max(to, from + SHORTEST);
    this.#settle();
  }

  /** Have this many pixels to fit into. */
  room(pixels) {
    this.#room = Math.max(1, pixels);
    this.#settle();
  }

  /** Show all of the time from now on, however long it becomes. */
  fit() {
    this.isFitted = true;
    this.#settle();
  }

  /** Show time `factor` times as large; never smaller than all of it fits. */
  zoom(factor) {
    this.#perMs *= factor;
    this.isFitted = false;
    this.#settle();
  }

  get width() {
    return this.x(this.to);
  }

  x(instant) {
    return (instant - this.from) * this.#perMs;
  }

  instant(x) {
    return this.from + x / this.#perMs;
  }

  /** Return the milliseconds between two ticks. */
  get step() {
    const least = APART / this.#perMs;
    const fine = STEPS.find((step) => step >= least) ?? SECONDS.map((step) => step * 1000).find((step) => step >= least);
    return fine ?? Math.ceil(least / DAY) * DAY;
  }

  #settle() {
    const length = this.to - this.from;
    const fitting = this.#room / length;
    if (this.isFitted || this.#perMs <= fitting) [this.#perMs, this.isFitted] = [fitting, true];
    else this.#perMs = Math.min(this.#perMs, Math.max(fitting, LARGEST / length));
  }
}
