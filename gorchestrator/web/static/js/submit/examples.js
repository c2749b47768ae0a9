/* The dialog that offers the examples of the service. */

import { get } from "../api.js";
import { tellFault } from "../banner.js";
import { h, name } from "../dom.js";
import { plural } from "../format.js";

/** Show the examples and return the one that is chosen, null if none is. */
export async function chooseExample() {
  let examples;
  try {
    ({ examples } = await get("/examples"));
  } catch (error) {
    tellFault(error);
    return null;
  }
  return new Promise((resolve) => {
    const dialog = h(
      "dialog",
      { class: "examples", "aria-labelledby": "examples-title" },
      h("h2", { id: "examples-title" }, "Begin with an example"),
      h("ul", {}, examples.map((example) => h("li", {}, choice(example, () => dialog.close(example.name))))),
      h("div", { class: "choices" }, h("button", { type: "button", onclick: () => dialog.close("") }, "Back")),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(examples.find((example) => example.name === dialog.returnValue) ?? null);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

function choice(example, chosen) {
  const engines = `${plural(example.nodes, "node")}: ${example.engines.join(", ")}`;
  return h(
    "button",
    { type: "button", onclick: chosen },
    h("strong", {}, name(example.name)),
    h("span", { class: "muted" }, engines),
    example.needs ? h("span", { class: "needs" }, `needs ${example.needs}`) : null,
  );
}
