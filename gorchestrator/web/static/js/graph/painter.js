/* The picture of the graph: edges, then the marked ones, then nodes. */

import { fillHeads, Sheet, strokeEdges } from "./edges.js";
import { NodePainter } from "./nodes.js";

const HEADS_FROM = 0.3; // scale
const FEW = 1500; // edges that are quicker painted than looked up on a sheet
const WHOLE = { side: 2048, scale: 0.3 }; // the sheet of all: its longest side in pixels, and its largest scale
const BLURRED = 1.6; // times that a sheet may be enlarged
const AROUND = 0.5; // views to each side that a sheet of a part has beside what is seen
const SETTLED = 120; // milliseconds without a movement

export class Painter {
  #context;
  #nodes;
  #whole = new Sheet();
  #part = new Sheet();
  #sharpen = 0;
  #scale = 1; // pixels of the canvas for one of the drawing

  /** `again()` is called when there is something better to paint, though nothing has changed. */
  constructor(canvas, scene, palette, again) {
    this.#context = canvas.getContext("2d", { alpha: false });
    this.scene = scene;
    this.again = again;
    this.repaint(palette);
  }

  /** Take other colours. */
  repaint(palette) {
    this.palette = palette;
    this.#nodes = new NodePainter(this.scene, palette);
    this.#whole.clear();
    this.#part.clear();
  }

  /**
   * Paint all that is seen.
   *
   * `ratio`: pixels of the canvas for one of the view. `marks`: as of `NodePainter`, with the numbers of the edges on the
   * `path` that holds up the end, and of the `near` ones at the selected node.
   */
  paint(camera, ratio, nodes, marks) {
    const context = this.#context;
    const { window } = camera;
    this.#scale = camera.scale * ratio;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = this.palette.ground;
    context.fillRect(0, 0, context.canvas.width, context.canvas.height);
    context.setTransform(this.#scale, 0, 0, this.#scale, -window.left * this.#scale, -window.top * this.#scale);
    context.lineJoin = "round";
    context.globalAlpha = marks.close === null ? 1 : 0.35;
    this.#paintEdges(camera, window);
    context.globalAlpha = 1;
    this.#mark(marks.path, marks.close === null ? this.palette.path : this.palette.dimPath, 2.5, camera.scale);
    this.#mark(marks.near, this.palette.accent, 2, camera.scale);
    this.#nodes.paint(context, this.scene.nodesIn(grown(window, 0, 8)), nodes, camera.scale, marks);
  }

  /** Paint some nodes anew where they are; nothing else has changed since `paint`. */
  paintSome(camera, ids, nodes, marks) {
    this.#nodes.paint(this.#context, [...ids], nodes, camera.scale, marks);
  }

  /** Put all edges into a context that is in the pixels of the drawing; from afar. */
  putEdges(context) {
    this.#paintWhole();
    this.#whole.put(context);
  }

  /** Stop what is under way. */
  stop() {
    clearTimeout(this.#sharpen);
  }

  #paintEdges(camera, window) {
    clearTimeout(this.#sharpen);
    this.#paintWhole();
    if (this.#scale <= this.#whole.scale * BLURRED) return this.#whole.put(this.#context);
    const edges = this.scene.edgesIn(window);
    if (edges.length <= FEW) return this.#paintFew(edges, camera.scale);
    if (this.#part.covers(window) && between(this.#scale / this.#part.scale, 1 / BLURRED, BLURRED)) return this.#part.put(this.#context);
    this.#whole.put(this.#context);
    this.#sharpen = setTimeout(() => {
      this.#part.paint(this.scene, grown(window, AROUND), this.#scale, this.palette.edge);
      this.again();
    }, SETTLED);
  }

  #paintWhole() {
    const { width, height } = this.scene;
    const all = { left: 0, top: 0, right: width, bottom: height };
    if (!this.#whole.covers(all)) this.#whole.paint(this.scene, all, Math.min(WHOLE.scale, WHOLE.side / Math.max(width, height)), this.palette.edge);
  }

  #paintFew(edges, scale) {
    const context = this.#context;
    context.strokeStyle = context.fillStyle = this.palette.edge;
    context.lineWidth = Math.max(1.25, 0.9 / scale);
    strokeEdges(context, this.scene, edges, scale >= HEADS_FROM / 2);
    if (scale >= HEADS_FROM) fillHeads(context, this.scene, edges);
  }

  #mark(edges, colour, width, scale) {
    const context = this.#context;
    context.strokeStyle = context.fillStyle = colour;
    context.lineWidth = Math.max(width, (width * 0.7) / scale);
    strokeEdges(context, this.scene, edges, scale >= HEADS_FROM / 2);
    if (scale >= HEADS_FROM) fillHeads(context, this.scene, edges, 1.4);
  }
}

function grown({ left, top, right, bottom }, part, fixed = 0) {
  const [aside, above] = [(right - left) * part + fixed, (bottom - top) * part + fixed];
  return { left: left - aside, top: top - above, right: right + aside, bottom: bottom + above };
}

function between(value, least, most) {
  return value >= least && value <= most;
}
