/* Asking before something is done that cannot be taken back. */

import { h } from "./dom.js";

/**
 * Show a dialog and return whether its action was chosen.
 *
 * `title` and `action` are texts, `body` elements or texts; `danger`: the action destroys something.
 */
export function ask({ title, body, action, danger = false }) {
  const yes = h("button", { type: "submit", value: "yes", class: danger ? "danger" : "primary" }, action);
  const no = h("button", { type: "submit", value: "no", formnovalidate: true }, "Back");
  const dialog = h(
    "dialog",
    { "aria-labelledby": "dialog-title" },
    h(
      "form",
      { method: "dialog" },
      h("h2", { id: "dialog-title" }, title),
      h("div", {}, body),
      h("div", { class: "choices" }, no, yes),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  yes.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}
