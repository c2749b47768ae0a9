/* The colours of the canvases, as the theme in force has them, each also as it is beside a selection: dimmed. */

import { colours, stateOf } from "../states.js";

const QUIET = new Set(["initial", "notrunnable", "skipped"]); // from afar they would outshine what goes on
const DIM = 0.3; // of a colour, over the ground

export class Palette {
  #states = new Map();
  #pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });

  constructor() {
    const style = getComputedStyle(document.documentElement);
    const token = (name) => this.#mixed(style.getPropertyValue(`--${name}`).trim());
    this.ground = token("surface");
    this.accent = token("accent");
    this.veil = token("accent-soft");
    this.edge = this.#mixed(token("line-strong"), this.ground, 0.8);
    [this.path, this.name, this.note] = ["text", "text", "muted"].map(token);
    [this.dimPath, this.dimName, this.dimNote] = [this.path, this.name, this.note].map((colour) => this.#dimmed(colour));
    this.font = style.getPropertyValue("--font").trim();
    for (const [name, colour] of Object.entries(colours())) this.#states.set(stateOf(name).number, this.#ofState(name, colour));
  }

  /** Return the colours of a state by its number: `line`, `fill`, and `far` for boxes that are too small for these. */
  state(number, dim) {
    const found = this.#states.get(number) ?? this.#states.get(0);
    return dim ? found.dim : found;
  }

  #ofState(name, colour) {
    const line = this.#mixed(colour);
    const fill = this.#mixed(line, this.ground, name === "running" ? 0.26 : 0.12);
    const far = this.#mixed(line, this.ground, QUIET.has(name) ? 0.45 : 1);
    return { line, fill, far, dim: { line: this.#dimmed(line), fill: this.#dimmed(fill), far: this.#dimmed(far) } };
  }

  #dimmed(colour) {
    return this.#mixed(colour, this.ground, DIM);
  }

  /** Return a colour over another one as canvases take it fastest; opaque, so that a box can be painted over itself. */
  #mixed(colour, below = colour, part = 1) {
    for (const [fill, alpha] of [[below, 1], [colour, part]]) {
      this.#pixel.globalAlpha = alpha;
      this.#pixel.fillStyle = fill;
      this.#pixel.fillRect(0, 0, 1, 1);
    }
    const bytes = this.#pixel.getImageData(0, 0, 1, 1).data.subarray(0, 3);
    return `#${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  }
}
