/* A part of the drawer that is made anew only where it would show something else: else selecting and scrolling are undone. */

import { fill, h } from "../dom.js";

export class Part {
  #make;
  #shown = ""; // what is shown, as JSON
  element;

  /** `make(data)`: returns the children that show some data; what is in them may take the focus again by its `data-key`. */
  constructor(make, kind) {
    this.#make = make;
    this.element = h("div", { class: kind, tabindex: -1 });
  }

  /** Show data, which are fit for JSON. */
  show(data) {
    const shown = JSON.stringify(data);
    if (shown === this.#shown) return;
    const focused = document.activeElement;
    const isHere = this.element.contains(focused);
    this.#shown = shown;
    fill(this.element, this.#make(data));
    if (isHere) this.#refocus(focused.dataset.key);
  }

  /** Show nothing. */
  clear() {
    this.#shown = "";
    fill(this.element);
  }

  /** Give the focus to the control of this key; if it is gone, to the part itself: it does not fall back to the page. */
  #refocus(key) {
    const control = key && this.element.querySelector(`[data-key="${key}"]`);
    (control || this.element).focus({ preventScroll: true });
  }
}
