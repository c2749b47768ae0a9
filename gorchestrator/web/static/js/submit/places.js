/* Where things stand in a text: lines and columns of offsets, and the place of what a JSON Pointer names. */

import { scan } from "./scanner.js";

/** The lines of a text. */
export class Lines {
  #starts = [0];
  #length;

  constructor(text) {
    this.#length = text.length;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#starts.push(at + 1);
  }

  /** How many there are; an empty text has one. */
  get count() {
    return this.#starts.length;
  }

  /** Return `{line, column}` of an offset, both from 1 on. */
  at(offset) {
    let [low, high] = [0, this.#starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: Math.min(offset, this.#length) - this.#starts[low] + 1 };
  }
}

/**
 * Return where the values of JSON Pointers (RFC 6901) stand: a map from each to `{from, to}`, offsets into the text.
 *
 * A member is its key and, if it is no object or list, its value; of an object or list alone, it is the bracket. What is
 * not there stands for the nearest thing around it that is. One pass, whatever the number of pointers; the text has
 * to be JSON.
 */
export function locate(text, pointers) {
  const root = { below: new Map(), place: { from: 0, to: 0 } };
  const last = new Map();
  for (const pointer of pointers) last.set(pointer, grow(root, pointer));
  scan(text, new Finder(text, root));
  return new Map(pointers.map((pointer) => [pointer, nearest(last.get(pointer))]));
}

function grow(root, pointer) {
  let node = root;
  for (const raw of pointer.split("/").slice(1)) {
    const step = raw.replaceAll("~1", "/").replaceAll("~0", "~");
    if (!node.below.has(step)) node.below.set(step, { below: new Map(), place: null, above: node });
    node = node.below.get(step);
  }
  return node;
}

function nearest(node) {
  while (!node.place) node = node.above;
  return node.place;
}

/** Goes through a text beside the tree of what is looked for; where that ends, nothing is remembered. */
class Finder {
  #text;
  #open = []; // the containers around the present place: `{wanted, index}`; index is null in objects
  #next; // what is wanted of the value that comes next
  #key = null; // where the key of the value that comes next stands

  constructor(text, root) {
    this.#text = text;
    this.#next = root;
  }

  open(bracket, at) {
    const wanted = this.#take();
    if (wanted) wanted.place = this.#key ?? { from: at, to: at + 1 };
    this.#open.push({ wanted, index: bracket === "[" ? 0 : null });
    this.#key = null;
  }

  close() {
    this.#open.pop();
  }

  key(from, to) {
    const { wanted } = this.#open.at(-1);
    this.#next = wanted?.below.size ? wanted.below.get(JSON.parse(this.#text.slice(from, to))) : undefined;
    this.#key = { from, to };
  }

  scalar(from, to) {
    const wanted = this.#take();
    if (wanted) wanted.place = { from: this.#key?.from ?? from, to };
    this.#key = null;
  }

  /** Return what is wanted of the value that begins here. */
  #take() {
    const around = this.#open.at(-1);
    if (!around || around.index === null) return this.#next;
    const step = around.index;
    around.index += 1;
    return around.wanted?.below.size ? around.wanted.below.get(String(step)) : undefined;
  }
}
