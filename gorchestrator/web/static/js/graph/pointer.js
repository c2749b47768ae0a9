/* Mouse, pen and fingers on the canvas: drag, wheel, pinch, click. */

const STILL = 4; // pixels that a click may move
const WHEEL = 0.0016; // of the logarithm of the scale, for a pixel of a wheel
const PINCH = 6; // times as much where the wheel is the pinch of a touchpad
const LINE = 20; // pixels of a line of a wheel that counts in lines

export class Pointer {
  #canvas;
  #camera;
  #held = new Map(); // the pointers that are down: where they are
  #moved = 0;

  /** Calls `at(x, y)` for the node there, null of none; `clicked(id)`, `opened(id)`, and `over(id)` when that changes. */
  constructor(canvas, camera, { at, clicked, opened, over }) {
    [this.#canvas, this.#camera] = [canvas, camera];
    const ends = (event) => {
      this.#held.delete(event.pointerId);
      canvas.classList.toggle("grabbed", this.#held.size > 0);
    };
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => {
      if (this.#held.has(event.pointerId)) this.#drag(event);
      else over(at(event.offsetX, event.offsetY));
    });
    canvas.addEventListener("pointerup", ends);
    canvas.addEventListener("pointercancel", ends);
    canvas.addEventListener("pointerleave", () => over(null));
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    canvas.addEventListener("click", (event) => {
      if (this.#moved <= STILL) clicked(at(event.offsetX, event.offsetY));
    });
    canvas.addEventListener("dblclick", (event) => {
      const id = at(event.offsetX, event.offsetY);
      if (id !== null && this.#moved <= STILL) opened(id);
    });
  }

  #down(event) {
    if (event.button !== 0) return;
    if (!this.#held.size) this.#moved = 0;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#held.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
  }

  #drag(event) {
    const before = this.#held.get(event.pointerId);
    const after = { x: event.offsetX, y: event.offsetY };
    this.#held.set(event.pointerId, after);
    this.#moved += Math.hypot(after.x - before.x, after.y - before.y);
    if (this.#moved <= STILL) return;
    this.#canvas.classList.add("grabbed");
    // Of two fingers each moves the picture by half, and their distance is the scale.
    const fingers = this.#held.size;
    this.#camera.pan((after.x - before.x) / fingers, (after.y - before.y) / fingers);
    if (fingers === 2) this.#pinch(event.pointerId, before, after);
  }

  #pinch(moving, before, after) {
    const [, still] = [...this.#held].find(([pointer]) => pointer !== moving);
    const apart = (finger) => Math.max(10, Math.hypot(finger.x - still.x, finger.y - still.y));
    this.#camera.zoom(apart(after) / apart(before), (after.x + still.x) / 2, (after.y + still.y) / 2);
  }

  #wheel(event) {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1);
    const amount = Math.min(1, Math.max(-1, -pixels * WHEEL * (event.ctrlKey ? PINCH : 1)));
    this.#camera.zoom(Math.exp(amount), event.offsetX, event.offsetY);
  }
}
