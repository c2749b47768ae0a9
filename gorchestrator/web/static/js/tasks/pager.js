/* Going through the pages of the list. Cursors lead forward only, so the way back is kept with the entry of the history. */

import { byId } from "../dom.js";

export class Pager {
  #trail = []; // cursors of the pages before this one
  #cursor = ""; // of this page
  #next = null;

  /** `turn(cursor, trail)` is called to show another page. */
  constructor(turn) {
    byId("page-first").addEventListener("click", () => turn("", []));
    byId("page-before").addEventListener("click", () => turn(this.#trail.at(-1) ?? "", this.#trail.slice(0, -1)));
    byId("page-next").addEventListener("click", () => turn(this.#next, [...this.#trail, this.#cursor]));
  }

  /** Show where one is: the cursor of this page, those before it, and the next one (null on the last page). */
  show(cursor, trail, next) {
    this.#cursor = cursor;
    this.#trail = trail;
    this.#next = next;
    byId("pager").hidden = !cursor && !next;
    byId("page-first").disabled = !cursor;
    byId("page-before").disabled = !trail.length;
    byId("page-next").disabled = !next;
  }
}
