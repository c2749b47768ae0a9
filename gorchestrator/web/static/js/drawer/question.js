/* A question about the node that is shown: asked until it is answered, and again when the answer may have become another. */

import { Problem, Unreachable } from "../api.js";
import { connection } from "../banner.js";

const PAUSE = 1000; // milliseconds at least between two times that the same is asked
const AWAY = 2000; // milliseconds until a service that cannot answer is asked again

export class Question {
  #load; #answered; #refused;
  #about = null; // the node; null: nothing is asked
  #aborting = new AbortController();
  #isUnderWay = false;
  #isOld = false; // whether what is under way may have become another answer meanwhile
  #asked = 0; // when, in milliseconds
  #timer = 0;

  /**
   * `load(about, signal)`: asks the service, and returns its answer; `answered(answer)`;
   * `refused(problem)`: the service does not answer this. One that is away is told by the banner.
   */
  constructor(load, answered, refused) {
    this.#load = load;
    this.#answered = answered;
    this.#refused = refused;
  }

  /** Ask about another node. What was asked before is not answered any more. */
  ask(about) {
    this.drop();
    this.#about = about;
    this.#now();
  }

  /** Ask once more, but soon and not at once: much may happen in a short time. */
  again() {
    if (this.#about === null) return;
    if (this.#isUnderWay) this.#isOld = true;
    else this.#after(this.#asked + PAUSE - Date.now());
  }

  /** Ask no more. */
  drop() {
    this.#about = null;
    this.#aborting.abort();
    this.#aborting = new AbortController();
    this.#isUnderWay = false;
    clearTimeout(this.#timer);
    connection(this, true);
  }

  #after(pause) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#now(), pause);
  }

  async #now() {
    const { signal } = this.#aborting;
    this.#asked = Date.now();
    this.#isUnderWay = true;
    this.#isOld = false;
    const { answer, error } = await outcome(this.#load(this.#about, signal));
    if (signal.aborted) return;
    this.#isUnderWay = false;
    if (this.#isOld) this.again();
    if (error) this.#failed(error);
    else {
      connection(this, true);
      this.#answered(answer);
    }
  }

  #failed(error) {
    const isAway = error instanceof Unreachable;
    if (!isAway && !(error instanceof Problem)) throw error;
    connection(this, !isAway);
    if (isAway || error.status >= 500) this.#after(AWAY);
    if (!isAway) this.#refused(error);
  }
}

/** Return `{answer}` or `{error}` of a promise. */
async function outcome(promise) {
  try {
    return { answer: await promise };
  } catch (error) {
    return { error };
  }
}
