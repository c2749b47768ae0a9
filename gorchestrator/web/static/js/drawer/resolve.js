/* Saying how an attempt counts of which nobody knows how it ended. */

import { post } from "../api.js";
import { tell, tellFault } from "../banner.js";
import { ask } from "../dialog.js";
import { h, name } from "../dom.js";

const ANSWERS = {
  success: { title: "Count it as a success?", action: "It succeeded", effect: "What waits for this node goes on." },
  failure: { title: "Count it as a failure?", action: "It failed", effect: "What needs this node is not run.", danger: true },
  retry: { title: "Run it again?", action: "Run it again", effect: "Another attempt is made. See first that nothing of the lost one still runs." },
};

/** Ask, then answer `as` success, failure or retry for the node of this id. */
export async function resolve(model, id, as) {
  const { title, action, effect, danger } = ANSWERS[as];
  const outputs = h("textarea", { id: "outputs", rows: 3, spellcheck: "false", class: "mono" });
  const body = [
    h("p", {}, name(model.nodes[id].name)),
    h("p", {}, effect),
    as === "success" && [h("label", { for: "outputs" }, "Its outputs, if others need them: name=value, one in each line"), outputs],
  ];
  if (!(await ask({ title, body, action, danger }))) return;
  try {
    await post(`${model.pathOf(id)}/resolve`, { as, ...(outputs.value.trim() && { output: pairs(outputs.value) }) });
    tell("It is stored, and takes effect at once.");
  } catch (error) {
    tellFault(error);
  }
}

function pairs(text) {
  const lines = text.split("\n").filter((line) => line.trim());
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf("=");
      if (at < 1) throw new Error(`Outputs are written name=value; this line is not: ${line}`);
      return [line.slice(0, at).trim(), line.slice(at + 1)];
    }),
  );
}
