/* Indents a gorch anew. Numbers and texts stay as they are written, to the letter. */

import { scan } from "./scanner.js";

const WIDTH = 110; // characters of a line that is not broken
const STEP = "  ";
const OPEN = 2; // the document and its lists of objects are broken, however short they are

/** Return the text indented anew; throws NotJson. What fits stands on one line, a matrix in its rows. */
export function tidy(text) {
  const builder = new Builder(text);
  scan(text, builder);
  return `${written(builder.root, 0, "")}\n`;
}

/** Makes a tree: of a scalar its text, of containers `{bracket, items, keys, flat}`; `flat`: on one line, or null. */
class Builder {
  #text;
  #open = [];
  #key = null;
  root = null;

  constructor(text) {
    this.#text = text;
  }

  open(bracket) {
    this.#open.push({ bracket, items: [], keys: [], key: this.#key });
    this.#key = null;
  }

  close() {
    const { key, ...done } = this.#open.pop();
    this.#key = key;
    this.#add({ ...done, flat: flat(done) });
  }

  key(from, to) {
    this.#key = this.#text.slice(from, to);
  }

  scalar(from, to) {
    this.#add(this.#text.slice(from, to));
  }

  #add(item) {
    const around = this.#open.at(-1);
    if (!around) this.root = item;
    else {
      around.items.push(item);
      if (around.bracket === "{") around.keys.push(this.#key);
    }
    this.#key = null;
  }
}

function flat({ bracket, items, keys }) {
  if (items.length > WIDTH) return null;
  const parts = items.map((item) => (typeof item === "string" ? item : item.flat));
  if (parts.includes(null)) return null;
  const line = enclosed(bracket, parts.map((part, place) => (bracket === "{" ? `${keys[place]}: ${part}` : part)).join(", "));
  return line.length <= WIDTH ? line : null;
}

function written(item, depth, indent) {
  if (typeof item === "string") return item;
  const mustBreak = item.items.length > 0 && depth < OPEN && (depth === 0 || item.items.some((below) => below.bracket === "{"));
  if (item.flat !== null && !mustBreak && indent.length + item.flat.length <= WIDTH) return item.flat;
  const inner = indent + STEP;
  const rows = item.bracket === "{" ? members(item, depth, inner) : elements(item, depth, inner);
  return enclosed(item.bracket, `\n${inner}${rows.join(`,\n${inner}`)}\n${indent}`);
}

function members({ items, keys }, depth, inner) {
  const nodes = keys.indexOf('"nodes"');
  const size = depth === 0 ? items[nodes]?.items?.length : 0;
  return items.map((item, place) => {
    const isMatrix = size && keys[place] === '"digraph"' && item.items?.length === size * size;
    return `${keys[place]}: ${isMatrix ? matrix(item.items, size, inner) : written(item, depth + 1, inner)}`;
  });
}

/** Elements of a list: objects and lists on lines of their own, scalars as many on a line as fit. */
function elements({ items }, depth, inner) {
  if (items.some((item) => typeof item !== "string")) return items.map((item) => written(item, depth + 1, inner));
  const rows = [];
  for (const item of items) {
    if (rows.length && inner.length + rows.at(-1).length + item.length + 3 <= WIDTH) rows.push(`${rows.pop()}, ${item}`);
    else rows.push(item);
  }
  return rows;
}

function matrix(cells, size, indent) {
  const inner = indent + STEP;
  const rows = Array.from({ length: size }, (_, row) => cells.slice(row * size, (row + 1) * size).join(", "));
  return `[\n${inner}${rows.join(`,\n${inner}`)}\n${indent}]`;
}

function enclosed(bracket, inside) {
  return bracket === "{" ? `{${inside}}` : `[${inside}]`;
}
