/* The tabs of a task's page (the pattern of ARIA: arrows move between them, only the chosen one is in the tab order). */

import { byId } from "../dom.js";

export class Tabs {
  #views;
  #chosen = null;

  /** `views`: by the name of their tab, in its order; `changed(name)`: somebody has chosen another one. */
  constructor(views, changed) {
    this.#views = views;
    const names = Object.keys(views);
    names.forEach((name, place) => {
      const tab = byId(`tab-${name}`);
      const go = (other) => {
        this.show(other);
        byId(`tab-${other}`).focus();
        changed(other);
      };
      tab.addEventListener("click", () => go(name));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (step) go(names[(place + step + names.length) % names.length]);
      });
    });
  }

  /** Show a view by its name; the first one if there is none of that name. */
  show(name) {
    const wanted = Object.hasOwn(this.#views, name) ? name : Object.keys(this.#views)[0];
    if (wanted === this.#chosen) return;
    for (const [each, view] of Object.entries(this.#views)) {
      const isWanted = each === wanted;
      byId(`tab-${each}`).setAttribute("aria-selected", String(isWanted));
      byId(`tab-${each}`).tabIndex = isWanted ? 0 : -1;
      byId(each).hidden = !isWanted;
      if (each === this.#chosen) view.hide();
    }
    this.#chosen = wanted;
    this.#views[wanted].show();
  }

  /** Move the focus into the view that is shown. */
  focus() {
    this.#views[this.#chosen]?.focus();
  }
}
