/* Sends the gorch. However often one text is sent, because an answer was lost, it becomes one task. */

import { key as newKey, post, Problem, Unreachable } from "../api.js";
import { count } from "../format.js";

const STORING = 1000; // milliseconds until the service is asked again whether it has stored the first request
const PATIENCE = 10; // times

export class Sender {
  /** The key of the request that may have been taken; empty if there is none. It belongs to one text. */
  key = "";

  /** Send a text and return the id of its task. `begun()` is called when the key is known, before anything is sent. */
  async send(text, begun) {
    this.key ||= newKey();
    begun();
    const id = await this.#sent(text);
    this.key = ""; // the same text once more is meant to be another task
    return id;
  }

  async #sent(text) {
    for (let left = PATIENCE; ; left -= 1) {
      try {
        return (await post("/tasks", text, { headers: { "Idempotency-Key": this.key } })).id;
      } catch (error) {
        if (error.type !== "request-in-progress" || !left) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, STORING));
    }
  }
}

/** Return why a gorch was not taken, in words. */
export function whyNot(error) {
  if (error instanceof Unreachable) {
    return "The service did not answer, so nobody knows yet whether it took the gorch. Submit it again: unless you change the text, it does not run twice.";
  }
  if (!(error instanceof Problem)) return error.message;
  const pause = error.retryAfter ? ` Try again in ${count(error.retryAfter)} s.` : "";
  return `Not accepted: ${error.message}${pause}`;
}
