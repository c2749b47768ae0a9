/* Following the journal over server-sent events: nothing is missed and nothing comes twice.
 *
 * The state is loaded once, with the number of the last event that it holds; the stream begins behind that number. A
 * connection that breaks is made again behind the last event that came. A hidden tab holds no connection, because a
 * browser opens only six to one host; it catches up when it is shown.
 */

import { Problem, Unreachable } from "./api.js";
import { connection } from "./banner.js";

const KINDS = [
  "task_accepted", "task_claimed", "task_released", "task_started", "task_cancel", "task_final",
  "node_waits", "node_running", "node_final", "node_resolve",
];
const FIRST_PAUSE = 500; // milliseconds until the next try; doubled each time
const LAST_PAUSE = 5000;
const FORGET = 120_000; // milliseconds: after a longer absence one load costs less than all that happened

/**
 * Follow a stream until `close()`.
 *
 * `path`: below the service, such as `/v1/events`; it may have a query.
 * `load()`: loads the state anew and returns the number of its last event; null if there is nothing to follow any more.
 * `apply(event)`: takes in the data of one event; true ends the stream, because nothing can follow.
 * `refused(problem)`: the service answered `load` with an error that will not pass; nothing is followed then.
 */
export class Live {
  #path; #load; #apply; #refused;
  #source = null;
  #seq = null; // of the last event that came; null: load first
  #pause = FIRST_PAUSE;
  #timer = 0;
  #hiddenAt = 0;
  #ended = false;
  #generation = 0; // of the load that counts
  #onVisibility = () => this.#visibility();
  #onOnline = () => this.#soon(0);

  constructor({ path, load, apply, refused }) {
    this.#path = path;
    this.#load = load;
    this.#apply = apply;
    this.#refused = refused;
    document.addEventListener("visibilitychange", this.#onVisibility);
    window.addEventListener("online", this.#onOnline);
    this.#soon(0);
  }

  /** The number of the last event that came. */
  get seq() {
    return this.#seq;
  }

  /** Whether it has ended: nothing can follow, or the service refused it. */
  get isEnded() {
    return this.#ended;
  }

  /** Load anew, and go on from there. */
  reload() {
    this.#seq = null;
    this.#disconnect();
    this.#soon(0);
  }

  /** End it. */
  close() {
    this.#ended = true;
    this.#disconnect();
    connection(this, true);
    document.removeEventListener("visibilitychange", this.#onVisibility);
    window.removeEventListener("online", this.#onOnline);
  }

  #soon(pause) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), pause);
  }

  async #connect() {
    if (this.#ended || this.#source) return;
    if (document.hidden && this.#seq !== null) return; // a tab that is opened in the background is loaded all the same
    if (this.#seq === null && !(await this.#loaded())) return;
    if (this.#ended || document.hidden) return;
    const separator = this.#path.includes("?") ? "&" : "?";
    this.#source = new EventSource(`${this.#path}${separator}after=${this.#seq}`);
    this.#source.onopen = () => this.#opened();
    this.#source.onerror = () => this.#broken();
    for (const kind of KINDS) this.#source.addEventListener(kind, (message) => this.#came(message));
    this.#source.addEventListener("reset", () => this.reload());
  }

  async #loaded() {
    const generation = ++this.#generation; // a reload meanwhile makes this one void
    try {
      const seq = await this.#load();
      if (generation !== this.#generation || this.#ended) return false;
      connection(this, true);
      this.#seq = seq ?? null;
      if (this.#seq === null) this.close();
      return !this.#ended;
    } catch (error) {
      if (generation !== this.#generation || this.#ended) return false;
      if (error instanceof Problem && error.status < 500) {
        this.close();
        this.#refused?.(error);
      } else if (error instanceof Problem || error instanceof Unreachable) this.#broken();
      else throw error;
      return false;
    }
  }

  #opened() {
    this.#pause = FIRST_PAUSE;
    connection(this, true);
  }

  #came(message) {
    const event = JSON.parse(message.data);
    if (event.seq <= this.#seq) return;
    this.#seq = event.seq;
    if (this.#apply(event)) this.close();
  }

  #broken() {
    // Not the browser's own way to connect again, which gives up for ever on any status but 200. Where it gave up, the
    // service said that there is nothing to follow, or refused: loading tells which.
    if (this.#source?.readyState === EventSource.CLOSED) this.#seq = null;
    this.#disconnect();
    if (this.#ended) return;
    connection(this, false);
    this.#soon(this.#pause * (0.75 + Math.random() / 2));
    this.#pause = Math.min(2 * this.#pause, LAST_PAUSE);
  }

  #disconnect() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #visibility() {
    if (document.hidden) {
      this.#hiddenAt = Date.now();
      this.#disconnect();
      connection(this, true); // nobody looks; whoever comes back finds out anew
      return;
    }
    if (this.#hiddenAt && Date.now() - this.#hiddenAt > FORGET) this.#seq = null;
    this.#pause = FIRST_PAUSE;
    this.#soon(0);
  }
}
