/* Which part of the drawing is seen: a place of it in the middle of the view, and a scale. */

const LARGEST = 3; // pixels of the screen for one of the drawing
const FIT_LARGEST = 1.25; // of small graphs, which would look huge
const MARGIN = 24; // around what is fitted in
const GLIDE = 200; // milliseconds
const REDUCED = matchMedia("(prefers-reduced-motion: reduce)");

export class Camera {
  x = 0;
  y = 0;
  scale = 1;
  width = 0; // of the view
  height = 0;
  fits = true; // whether all is shown, and nobody has moved it since
  #drawing = { width: 1, height: 1 };
  #changed;
  #gliding = 0;

  /** `changed()` is called whenever something else is seen. */
  constructor(changed) {
    this.#changed = changed;
  }

  /** Tell the size of the drawing. */
  bound(width, height) {
    this.#drawing = { width, height };
  }

  /** Tell the size of the view; what was in its middle stays there, and what fitted fits again. */
  resize(width, height) {
    [this.width, this.height] = [width, height];
    if (this.fits) this.fit(false);
    else this.#changed();
  }

  /** The part of the drawing that is seen, in its own pixels. */
  get window() {
    const [aside, above] = [this.width / 2 / this.scale, this.height / 2 / this.scale];
    return { left: this.x - aside, top: this.y - above, right: this.x + aside, bottom: this.y + above };
  }

  /** The scale at which all is seen. */
  get fitting() {
    const { width, height } = this.#drawing;
    const least = Math.min((this.width - 2 * MARGIN) / width, (this.height - 2 * MARGIN) / height);
    return Math.max(1e-4, Math.min(FIT_LARGEST, least));
  }

  /** Return the place of the drawing that is at a place of the view. */
  placeAt(x, y) {
    return [this.x + (x - this.width / 2) / this.scale, this.y + (y - this.height / 2) / this.scale];
  }

  /** Show all. */
  fit(glide = true) {
    this.#move({ x: this.#drawing.width / 2, y: this.#drawing.height / 2, scale: this.fitting }, glide);
    this.fits = true;
  }

  /** Move what is seen by pixels of the view. */
  pan(right, down) {
    this.#stop();
    this.#set({ x: this.x - right / this.scale, y: this.y - down / this.scale, scale: this.scale });
  }

  /** Change the scale by a factor; the place of the drawing below this place of the view stays there. */
  zoom(factor, x = this.width / 2, y = this.height / 2) {
    this.#stop();
    const scale = this.#limited(this.scale * factor);
    const [fixedX, fixedY] = this.placeAt(x, y);
    this.#set({ x: fixedX - (x - this.width / 2) / scale, y: fixedY - (y - this.height / 2) / scale, scale });
  }

  /** Bring a place into the middle, at this scale at least. */
  centre(x, y, least = 0, glide = true) {
    this.fits = false;
    this.#move({ x, y, scale: Math.max(this.scale, least) }, glide);
  }

  #limited(scale) {
    return Math.min(LARGEST, Math.max(Math.min(this.fitting / 2, 1), scale));
  }

  #move(target, glide) {
    this.#stop();
    if (!glide || REDUCED.matches) this.#set(target);
    else this.#glide({ x: this.x, y: this.y, scale: this.scale }, target);
  }

  #glide(from, to) {
    const begun = performance.now();
    const step = (now) => {
      const part = Math.min(1, Math.max(0, (now - begun) / GLIDE));
      const eased = 1 - (1 - part) ** 3;
      const scale = from.scale * (to.scale / from.scale) ** eased;
      // On a path that is straight on the screen: the way goes with the size of what is seen.
      const way = from.scale === to.scale ? eased : (1 / scale - 1 / from.scale) / (1 / to.scale - 1 / from.scale);
      const { fits } = this;
      this.#set(part < 1 ? { x: from.x + (to.x - from.x) * way, y: from.y + (to.y - from.y) * way, scale } : to);
      this.fits = fits;
      this.#gliding = part < 1 ? requestAnimationFrame(step) : 0;
    };
    this.#gliding = requestAnimationFrame(step);
  }

  #stop() {
    cancelAnimationFrame(this.#gliding);
    this.#gliding = 0;
  }

  #set({ x, y, scale }) {
    this.x = Math.min(this.#drawing.width, Math.max(0, x));
    this.y = Math.min(this.#drawing.height, Math.max(0, y));
    this.scale = scale;
    this.fits = false;
    this.#changed();
  }
}
