/* The whole graph in a corner, with a frame around what the view shows; a click or a drag leads there. */

import { h } from "../dom.js";

const MOST = { width: 200, height: 130 };
const LEAST_BOX = 1.2; // pixels
const LEAST_FRAME = 8;

export class MiniMap {
  #canvas = h("canvas", { class: "graph-map", "aria-hidden": "true" });
  #ground = new OffscreenCanvas(1, 1); // the graph without the frame
  #camera;
  #scene = null;
  #scale = 1; // pixels of the map for one of the drawing
  #ratio = 1;

  constructor(root, camera) {
    this.#camera = camera;
    root.append(this.#canvas);
    this.#canvas.addEventListener("pointerdown", (event) => {
      this.#canvas.setPointerCapture(event.pointerId);
      this.#go(event);
    });
    this.#canvas.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays with the large picture
    this.#canvas.addEventListener("pointermove", (event) => {
      if (this.#canvas.hasPointerCapture(event.pointerId)) this.#go(event);
    });
  }

  /** Draw all anew. `putEdges(context)` puts the edges, in the pixels of the drawing. */
  draw(scene, palette, nodes, putEdges) {
    this.#scene = scene;
    this.palette = palette;
    this.#ratio = devicePixelRatio;
    this.#scale = Math.min(MOST.width / scene.width, MOST.height / scene.height);
    const [width, height] = [scene.width, scene.height].map((side) => Math.max(LEAST_FRAME, Math.round(side * this.#scale)));
    this.#canvas.style.setProperty("width", `${width}px`);
    this.#canvas.style.setProperty("height", `${height}px`);
    for (const canvas of [this.#canvas, this.#ground]) {
      Object.assign(canvas, { width: width * this.#ratio, height: height * this.#ratio });
    }
    const context = this.#ground.getContext("2d");
    context.fillStyle = palette.ground;
    context.fillRect(0, 0, this.#ground.width, this.#ground.height);
    const scale = this.#scale * this.#ratio;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.globalAlpha = 0.5;
    putEdges(context);
    context.globalAlpha = 1;
    this.drawSome(nodes.keys(), nodes);
  }

  /** Draw some nodes anew. */
  drawSome(ids, nodes) {
    const context = this.#ground.getContext("2d");
    const [width, height] = [this.#scene.nodeWidth, this.#scene.nodeHeight].map((side) => Math.max(side, LEAST_BOX / this.#scale));
    for (const id of ids) {
      context.fillStyle = this.palette.state(nodes[id].state, false).far;
      context.fillRect(this.#scene.xs[id] - width / 2, this.#scene.ys[id] - height / 2, width, height);
    }
  }

  /** Show it, with the frame; nothing is shown while the view shows all. */
  paint() {
    const { left, top, right, bottom } = this.#camera.window;
    this.#canvas.hidden = left <= 0 && top <= 0 && right >= this.#scene.width && bottom >= this.#scene.height;
    if (this.#canvas.hidden) return;
    const context = this.#canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.#ground, 0, 0);
    context.scale(this.#ratio, this.#ratio);
    context.strokeStyle = this.palette.accent;
    context.lineWidth = 2;
    const [width, height] = [right - left, bottom - top].map((side) => Math.max(LEAST_FRAME, side * this.#scale));
    const [x, y] = [(left + right) / 2, (top + bottom) / 2].map((place) => place * this.#scale);
    context.fillStyle = this.palette.accent;
    context.globalAlpha = 0.12;
    context.fillRect(x - width / 2, y - height / 2, width, height);
    context.globalAlpha = 1;
    context.strokeRect(x - width / 2, y - height / 2, width, height);
  }

  #go({ offsetX, offsetY }) {
    this.#camera.centre(offsetX / this.#scale, offsetY / this.#scale, 0, false);
  }
}
