/* Where the lines of a log come from: the last ones first, then what is printed, and earlier ones when asked for. */

import { call } from "../api.js";
import { bytes as bytesOf } from "../format.js";
import { Splitter } from "./splitter.js";

const STEP = 2000; // lines that are shown at first, and that a step back adds at the most
const PIECE = 262_144; // bytes of one answer: what more would take to be shown, the page would stand still
const WAIT = 20; // seconds for which one request waits for more
const PAUSE = 1500; // milliseconds after a fault

/**
 * Reads one log.
 *
 * `path`: of the log, below /v1; `attempt`: a number, or null for the last one, and those that follow it.
 * `told.lines(lines, open)`: lines have come, and `open` is the one that has not ended, or null;
 * `told.began(attempt, offset)`: lines of this attempt follow, from this byte on; 0: it was not on an executor yet;
 * `told.ended()`: nothing can follow; `told.refused(problem)`: the service does not give it.
 */
export class LogSource {
  #path; #attempt; #told;
  #abort = new AbortController();
  #splitter = new Splitter(0);
  #number = null; // of the attempt that is read

  constructor(path, attempt, told) {
    this.#path = path;
    this.#attempt = attempt;
    this.#told = told;
    this.#follow();
  }

  /** Read no more. */
  close() {
    this.#abort.abort();
  }

  /** Return lines of an attempt before the byte `before`: the last ones, as many as one step shows. */
  async earlier(before, attempt) {
    const offset = Math.max(0, before - PIECE);
    const piece = await this.#read({ offset, limit: before - offset, attempt });
    // Behind what was left out, the service goes on as if nothing was missing: over what is here already.
    const over = Math.max(0, piece.next - before);
    const mine = { ...piece, bytes: piece.bytes.subarray(0, piece.bytes.length - over), next: piece.next - over };
    const splitter = new Splitter(offset);
    const lines = split(splitter, mine);
    if (splitter.open) lines.push(splitter.open);
    // The first one is a part of a line, unless it is the only one or all begins with it.
    const isWhole = offset === 0 || piece.gap?.offset <= offset || lines.length < 2;
    return (isWhole ? lines : lines.slice(1)).slice(-STEP);
  }

  async #follow() {
    let query = { tail: STEP };
    while (!this.#abort.signal.aborted) {
      try {
        await shown(this.#abort.signal);
        const piece = await this.#read({ ...query, attempt: this.#attempt }, WAIT);
        if (this.#number && piece.attempt !== this.#number) {
          query = { offset: 0, limit: PIECE };
          this.#number = null;
          continue;
        }
        this.#take(piece);
        query = { offset: piece.next, limit: PIECE };
        if (piece.complete) return this.#told.ended();
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        if (error.name === "Problem" && error.status < 500) return this.#told.refused(error);
        if (!["Problem", "Unreachable", "TypeError"].includes(error.name)) throw error; // TypeError: cut off half way
        await pause(PAUSE);
      }
    }
  }

  #take(piece) {
    if (piece.attempt !== this.#number) {
      this.#number = piece.attempt;
      this.#splitter = new Splitter(piece.offset);
      this.#told.began(piece.attempt, piece.offset);
    }
    if (piece.bytes.length) this.#told.lines(split(this.#splitter, piece), this.#splitter.open);
  }

  async #read(query, wait) {
    const headers = { Accept: "*/*", ...(wait && { Prefer: `wait=${wait}` }) };
    const answer = await call("GET", this.#path, { query, headers, signal: this.#abort.signal });
    const gap = /offset=(\d+), length=(\d+)/.exec(answer.headers.get("Gorch-Log-Gap"));
    return {
      attempt: Number(answer.headers.get("Gorch-Log-Attempt")),
      offset: Number(answer.headers.get("Gorch-Log-Offset")),
      next: Number(answer.headers.get("Gorch-Log-Next")),
      complete: answer.headers.get("Gorch-Log-Complete") === "true",
      gap: gap && { offset: Number(gap[1]), length: Number(gap[2]) },
      bytes: new Uint8Array(await answer.arrayBuffer()),
    };
  }
}

/** Return the lines that end in a piece; a line stands for what was left out in its middle. */
function split(splitter, { bytes, offset, next, gap }) {
  if (!gap) return splitter.take(bytes);
  const behind = Math.max(0, next - gap.offset - gap.length);
  const lines = splitter.take(bytes.subarray(0, Math.max(0, gap.offset - offset)));
  if (splitter.open) lines.push(splitter.open);
  lines.push({ at: gap.offset, text: `[… ${bytesOf(gap.length)} left out …]` });
  splitter.begin(gap.offset + gap.length);
  return [...lines, ...splitter.take(bytes.subarray(bytes.length - behind))];
}

function pause(length) {
  return new Promise((resolve) => setTimeout(resolve, length));
}

/** Wait until somebody sees the page: a hidden one holds no connection. */
function shown(signal) {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true, signal }));
}
