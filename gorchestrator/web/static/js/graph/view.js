/* The graph of a task as a picture on a canvas. It paints at most once a frame, and only what is seen. */

import { h, text } from "../dom.js";
import { count } from "../format.js";
import { Camera } from "./camera.js";
import { KEYS, listenToKeys } from "./keys.js";
import { Marks } from "./marks.js";
import { MiniMap } from "./minimap.js";
import { Painter } from "./painter.js";
import { Palette } from "./palette.js";
import { Pointer } from "./pointer.js";
import { Scene } from "./scene.js";
import { describe } from "./words.js";

const READABLE = 0.8; // scale at which one is shown a node that was selected elsewhere
const REACH = 6; // pixels beside a node at which it is still hit
const PATH_EVERY = 500; // milliseconds: the path takes a look at all nodes

export class GraphView {
  #root;
  #model;
  #select;
  #open;
  #canvas = h("canvas", { class: "graph-canvas", tabindex: "0", role: "application", "aria-describedby": "graph-keys" });
  #note = h("p", { class: "graph-note muted" });
  #key = h("p", { class: "graph-key muted", hidden: true }, h("span", { "aria-hidden": "true" }), "holds up the end");
  #said = h("p", { class: "out-of-sight", "aria-live": "polite" });
  #camera = new Camera(() => this.#paint());
  #map;
  #scene = null;
  #painter = null;
  #marks = new Marks();
  #shown = false;
  #frame = 0;
  #whole = false; // whether more than `#changed` is to be painted
  #changed = new Set(); // ids of nodes
  #pathTimer = 0;
  #own = false; // whether a selection comes from here

  constructor(root, model, { select, open }) {
    [this.#root, this.#model, this.#select, this.#open] = [root, model, select, open];
    root.classList.add("graph");
    root.append(this.#canvas, this.#note, this.#key, h("p", { id: "graph-keys", hidden: true }, KEYS), this.#said, this.#tools());
    this.#map = new MiniMap(root, this.#camera);
    this.#listen();
    model.listen((change) => this.#take(change));
  }

  /** Be shown: paint what has changed meanwhile. */
  show() {
    this.#shown = true;
    this.#adopt();
    this.#resize();
  }

  /** Be hidden: paint nothing. */
  hide() {
    this.#shown = false;
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#painter?.stop();
  }

  /** Move the focus to the canvas. */
  focus() {
    this.#canvas.focus();
  }

  #tools() {
    const button = (label, sign, action) => h("button", { type: "button", "aria-label": label, title: label, onclick: action }, sign);
    return h(
      "div",
      { class: "graph-tools" },
      button("Zoom in", "+", () => this.#camera.zoom(1.5)),
      button("Zoom out", "−", () => this.#camera.zoom(1 / 1.5)),
      button("Show all", "Fit", () => this.#camera.fit()),
    );
  }

  #listen() {
    const go = (id) => {
      this.#own = true;
      this.#select(id);
      this.#own = false;
    };
    const at = (x, y) => this.#scene?.nodeAt(...this.#camera.placeAt(x, y), REACH / this.#camera.scale) ?? null;
    const over = (id) => {
      this.#canvas.classList.toggle("over", id !== null);
      this.#canvas.title = id === null ? "" : this.#model.nodes[id].name.slice(0, 400);
    };
    new Pointer(this.#canvas, this.#camera, { at, clicked: go, opened: this.#open, over });
    const goAndLook = (id) => {
      go(id);
      if (id !== null) this.#reveal(id, 0);
    };
    listenToKeys(this.#canvas, this.#camera, this.#model, { scene: () => this.#scene, go: goAndLook, open: this.#open });
    new ResizeObserver(() => this.#resize()).observe(this.#root);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#recolour());
  }

  #take({ kind, id }) {
    if (kind === "node") {
      this.#paint(id);
      if (id === this.#model.selected) this.#say();
      this.#pathTimer ||= setTimeout(() => this.#followPath(), PATH_EVERY);
    } else if (kind === "select") {
      if (this.#scene) this.#marks.select(id, this.#model.nodes, this.#scene);
      this.#paint();
      this.#say();
      if (id !== null && !this.#own) this.#reveal(id, READABLE);
    } else if (this.#shown && kind !== "task") this.#adopt();
  }

  /** Take over what the model has: nodes, and their drawing as soon as there is one. */
  #adopt() {
    const { nodes, layout } = this.#model;
    const ready = layout !== null && nodes.length > 0;
    this.#canvas.setAttribute("aria-label", `Graph of ${count(nodes.length)} nodes`);
    text(this.#note, ready ? "" : this.#waits());
    if (!ready) return;
    if (this.#scene?.layout !== layout) this.#build(layout);
    this.#marks.select(this.#model.selected, nodes, this.#scene);
    this.#marks.follow(this.#model.critical(), this.#scene);
    this.#drawMap();
    this.#paint();
  }

  #waits() {
    const { nodes, undrawn } = this.#model;
    if (!nodes.length) return "This task has no nodes.";
    return undrawn === null ? "Drawing…" : `${undrawn} The table and the timeline show them.`;
  }

  #build(layout) {
    this.#painter?.stop();
    this.#scene = new Scene(layout);
    this.#painter = new Painter(this.#canvas, this.#scene, new Palette(), () => this.#paint());
    this.#camera.bound(layout.width, layout.height);
    this.#camera.fit(false);
    if (this.#model.selected !== null) this.#reveal(this.#model.selected, READABLE);
  }

  #recolour() {
    if (!this.#painter) return;
    this.#painter.repaint(new Palette());
    this.#drawMap();
    this.#paint();
  }

  #drawMap() {
    this.#map.draw(this.#scene, this.#painter.palette, this.#model.nodes, (context) => this.#painter.putEdges(context));
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.#root;
    if (!width || !height) return;
    const sizes = { width: Math.round(width * devicePixelRatio), height: Math.round(height * devicePixelRatio) };
    if (sizes.width !== this.#canvas.width || sizes.height !== this.#canvas.height) Object.assign(this.#canvas, sizes);
    const { selected } = this.#model;
    const seen = selected !== null && this.#isSeen(selected);
    this.#camera.resize(width, height);
    if (seen && !this.#isSeen(selected)) this.#reveal(selected, 0); // the drawer has taken its place
  }

  #followPath() {
    this.#pathTimer = 0;
    if (this.#scene && this.#shown && this.#marks.follow(this.#model.critical(), this.#scene)) this.#paint();
  }

  /** Bring a node into the view if it is not there, or too small. */
  #reveal(id, least) {
    if (!this.#scene || (this.#isSeen(id) && this.#camera.scale >= least)) return;
    this.#camera.centre(this.#scene.xs[id], this.#scene.ys[id], least);
  }

  #isSeen(id) {
    if (!this.#scene) return false;
    const { left, top, right, bottom } = this.#camera.window;
    const [x, y] = [this.#scene.xs[id], this.#scene.ys[id]];
    const [aside, above] = [this.#scene.nodeWidth / 2, this.#scene.nodeHeight / 2];
    return x - aside >= left && x + aside <= right && y - above >= top && y + above <= bottom;
  }

  #say() {
    const { selected, nodes } = this.#model;
    text(this.#said, selected === null ? "Nothing is selected." : describe(nodes[selected], nodes));
  }

  /** Ask for a frame: of one node, or of all. */
  #paint(id = null) {
    if (id === null) this.#whole = true;
    else this.#changed.add(id);
    if (this.#shown && this.#scene && !this.#frame) this.#frame = requestAnimationFrame(() => this.#paintNow());
  }

  #paintNow() {
    this.#frame = 0;
    const { nodes } = this.#model;
    this.#key.hidden = !this.#marks.critical.size;
    if (this.#whole) this.#painter.paint(this.#camera, devicePixelRatio, nodes, this.#marks);
    else this.#painter.paintSome(this.#camera, this.#changed, nodes, this.#marks);
    this.#map.drawSome(this.#changed, nodes);
    this.#map.paint();
    this.#whole = false;
    this.#changed.clear();
  }
}
