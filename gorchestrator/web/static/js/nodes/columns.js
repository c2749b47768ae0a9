/* The columns of the table: what each shows, and the order that it sorts nodes into. */

import { seconds } from "../format.js";
import { stateOf } from "../states.js";

// What needs somebody first, then what is on its way, then what is good.
const ATTENTION = ["failure", "timeout", "notrunnable", "canceled", "running", "torun", "initial", "skipped", "success"];
const COLLATOR = new Intl.Collator(undefined, { numeric: true });
const COMPARED = 200; // characters of a text

/**
 * By their key: `title`; `text(node)` where the service never changes it, else `value(node)`, a number or null; `down`:
 * whether one wants the largest first.
 */
export const COLUMNS = {
  name: { title: "Name", text: (node) => node.name },
  target: { title: "Target", text: (node) => node.target ?? "" },
  engine: { title: "Engine", text: (node) => node.engine ?? "" },
  artifact: { title: "Artifact", text: firstLine },
  state: { title: "State", value: (node) => ATTENTION.indexOf(stateOf(node.state).name) },
  attempt: { title: "Attempt", value: (node) => node.attempt || null, down: true },
  duration: { title: "Duration", value: lasted, down: true },
};

/** Return the first line of a node's artifact, which may be a whole script. */
export function firstLine(node) {
  const artifact = (node.artifact ?? "").trimStart();
  const end = artifact.indexOf("\n");
  return end < 0 ? artifact : artifact.slice(0, end);
}

/** Return the seconds that a node has run or ran, null if it has not begun. */
export function lasted(node) {
  return seconds(node.start_date, node.stop_date);
}

export class Order {
  #ranks = new Map(); // of texts, by column: comparing ten thousand of them takes long enough to be noticed
  key = null;
  isDown = false;

  /** Forget what is known of the nodes: there are others. */
  clear() {
    this.#ranks.clear();
  }

  /** Whether events of nodes can change the order. */
  get isLive() {
    return this.key !== null && COLUMNS[this.key].value !== undefined;
  }

  /** Sort by a column from now on: the way one wants first, then the other way, then as the gorch has them. */
  toggle(key) {
    const first = COLUMNS[key].down ?? false;
    if (this.key !== key) [this.key, this.isDown] = [key, first];
    else if (this.isDown === first) this.isDown = !first;
    else [this.key, this.isDown] = [null, false];
  }

  /** Return the ids of some nodes in order; what has no value comes last, and equals as in the gorch. */
  sort(ids, nodes) {
    if (this.key === null) return ids;
    const values = this.#values(nodes);
    const sign = this.isDown ? -1 : 1;
    return ids.sort((one, other) => {
      const [left, right] = [values[one], values[other]];
      if (left === right) return one - other;
      if (left === null || right === null) return left === null ? 1 : -1;
      return sign * (left - right);
    });
  }

  #values(nodes) {
    const { text, value } = COLUMNS[this.key];
    if (value) return nodes.map(value);
    if (!this.#ranks.has(this.key)) this.#ranks.set(this.key, ranks(nodes.map((node) => text(node).slice(0, COMPARED))));
    return this.#ranks.get(this.key);
  }
}

/** Return the place of each text among all, the same for equal ones; null for an empty one. */
function ranks(texts) {
  const distinct = [...new Set(texts)].sort(COLLATOR.compare);
  const places = new Map(distinct.map((text, place) => [text, place]));
  return texts.map((text) => (text ? places.get(text) : null));
}
