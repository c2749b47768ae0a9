/* Painting nodes: from afar boxes of their colour, nearer with their shape, and near with their texts. */

import { stateOf } from "../states.js";

const SHAPE_FROM = 0.2; // scale
const NAME_FROM = 0.5;
const ENGINE_FROM = 0.7;
const WRONG = new Set([4, 10]); // states that from afar differ from others by more than their colour
const SLIT_FROM = 9; // pixels of a box that has room for a slit
const LEAST = 2; // pixels of the screen of a side of a box
const ICON = 16; // pixels of a shape's own
const PADDING = 9;
const TEXT_AT = PADDING + ICON + 8;
const ALL_TEXTS = 4000; // that are kept once they are cut

const shapes = new Map();

export class NodePainter {
  #texts = new Map();
  #font;

  /** `palette`: the colours in force. */
  constructor(scene, palette) {
    this.scene = scene;
    this.palette = palette;
    this.#font = palette.font;
  }

  /**
   * Paint nodes into a context that is in the pixels of the drawing.
   *
   * `ids`: which; `nodes`: all of them, by id; `scale`: pixels of the screen for one of the drawing; `marks`: sets of
   * `critical` ids and `close` ids (null: nothing is selected, so nothing is dimmed), and the `selected` id.
   */
  paint(context, ids, nodes, scale, marks) {
    if (scale < SHAPE_FROM) this.#paintFar(context, ids, nodes, scale, marks);
    else for (const id of ids) this.#paintNear(context, id, nodes[id], scale, marks);
  }

  #paintFar(context, ids, nodes, scale, { close, critical, selected }) {
    const [width, height] = [this.scene.nodeWidth, this.scene.nodeHeight].map((side) => Math.max(side, LEAST / scale));
    let colour = null;
    const paint = (id) => {
      const wanted = this.palette.state(nodes[id].state, close !== null && !close.has(id)).far;
      if (wanted !== colour) context.fillStyle = colour = wanted;
      context.fillRect(this.scene.xs[id] - width / 2, this.scene.ys[id] - height / 2, width, height);
      if (WRONG.has(nodes[id].state) && width * scale >= SLIT_FROM) {
        context.fillStyle = colour = this.palette.ground;
        context.fillRect(this.scene.xs[id] - width / 6, this.scene.ys[id] - height / 2, width / 3, height);
      }
    };
    ids.forEach(paint);
    if (close !== null) for (const id of ids) if (close.has(id)) paint(id); // over those that overlap it
    for (const id of ids) {
      if (id === selected) this.#outline(context, id, this.palette.accent, 2.5 / scale, 1.5 / scale, width, height);
      else if (critical.has(id)) this.#outline(context, id, this.#pathColour(id, close), 1 / scale, 0, width, height);
    }
  }

  #paintNear(context, id, node, scale, { close, critical, selected }) {
    const dim = close !== null && !close.has(id);
    const { xs, ys, nodeWidth, nodeHeight } = this.scene;
    const [left, top] = [xs[id] - nodeWidth / 2, ys[id] - nodeHeight / 2];
    const colours = this.palette.state(node.state, dim);
    context.beginPath();
    context.roundRect(left, top, nodeWidth, nodeHeight, 6);
    context.fillStyle = colours.fill;
    context.fill();
    context.lineWidth = Math.max(1.25, 1 / scale);
    context.strokeStyle = colours.line;
    context.stroke();
    if (critical.has(id)) this.#outline(context, id, this.#pathColour(id, close), 2.5, 0);
    if (id === selected) this.#outline(context, id, this.palette.accent, Math.max(2.5, 2 / scale), 4);
    this.#icon(context, node.state, colours.line, left, scale < NAME_FROM ? xs[id] : left + PADDING + ICON / 2, ys[id], scale);
    if (scale >= NAME_FROM) this.#text(context, node, left + TEXT_AT, ys[id], scale, dim);
  }

  #pathColour(id, close) {
    return close !== null && !close.has(id) ? this.palette.dimPath : this.palette.path;
  }

  #outline(context, id, colour, thickness, gap, width = this.scene.nodeWidth, height = this.scene.nodeHeight) {
    context.beginPath();
    context.roundRect(this.scene.xs[id] - width / 2 - gap, this.scene.ys[id] - height / 2 - gap, width + 2 * gap, height + 2 * gap, 6 + gap);
    context.lineWidth = thickness;
    context.strokeStyle = colour;
    context.stroke();
  }

  #icon(context, state, colour, left, x, y, scale) {
    const size = scale < NAME_FROM ? 1.7 : 1;
    const { a, b, c, d, e, f } = context.getTransform();
    context.translate(x - (ICON / 2) * size, y - (ICON / 2) * size);
    context.scale(size, size);
    context.fillStyle = colour;
    context.fill(shapeOf(state), "evenodd");
    context.setTransform(a, b, c, d, e, f);
  }

  #text(context, node, left, y, scale, dim) {
    const both = scale >= ENGINE_FROM;
    const room = this.scene.nodeWidth - TEXT_AT - PADDING;
    context.textBaseline = "middle";
    context.textAlign = "left";
    context.fillStyle = dim ? this.palette.dimName : this.palette.name;
    this.#line(context, node.name, `${both ? 600 : 500} ${both ? 12.5 : 14}px ${this.#font}`, left, both ? y - 7 : y + 0.5, room);
    if (!both) return;
    context.fillStyle = dim ? this.palette.dimNote : this.palette.note;
    const note = node.attempt > 1 ? `${node.engine || "nil"} · attempt ${node.attempt}` : node.engine || "nil";
    this.#line(context, note, `10.5px ${this.#font}`, left, y + 8.5, room);
  }

  #line(context, text, font, left, y, room) {
    context.font = font;
    const key = `${font}\n${text}`;
    if (!this.#texts.has(key)) {
      if (this.#texts.size >= ALL_TEXTS) this.#texts.clear();
      this.#texts.set(key, shortened(context, text, room));
    }
    context.fillText(this.#texts.get(key), left, y);
  }
}

/** Return the shape of a state. */
function shapeOf(state) {
  if (!shapes.has(state)) shapes.set(state, new Path2D(stateOf(state).path));
  return shapes.get(state);
}

/** Return as much of a text as has room. */
function shortened(context, text, room) {
  if (text.length < 200 && context.measureText(text).width <= room) return text;
  const letters = [...text.slice(0, 200)];
  let [fits, length] = [0, letters.length];
  while (fits < length) {
    const middle = (fits + length + 1) >> 1;
    if (context.measureText(`${letters.slice(0, middle).join("")}…`).width <= room) fits = middle;
    else length = middle - 1;
  }
  return `${letters.slice(0, fits).join("")}…`;
}
