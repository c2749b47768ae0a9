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
const MOOT = new Set([404, 409]); // statuses of an answer that nobody waits for any more

/** Ask, then answer `as` success, failure or retry for the node of this id; ask again as long as the answer is not taken. */
export async function resolve(model, id, as) {
  const { title, action, effect, danger } = ANSWERS[as];
  const check = () => outputs.setCustomValidity(faultOf(outputs.value));
  const outputs = h("textarea", { id: "outputs", rows: 3, spellcheck: "false", class: "mono", oninput: check });
  const question = [
    h("p", {}, name(model.nodes[id].name)),
    h("p", {}, effect),
    as === "success" && [h("label", { for: "outputs" }, "Its outputs, if others need them: name=value, one in each line"), outputs],
  ];
  let faults = [];
  while (await ask({ title, body: [question, faults.map((fault) => h("p", { role: "alert" }, fault))], action, danger })) {
    const output = Object.fromEntries(pairs(outputs.value));
    faults = await send(`${model.pathOf(id)}/resolve`, { as, ...(outputs.value.trim() && { output }) });
    if (!faults.length) return;
  }
}

/** Send an answer. Returns what was wrong, if it or another one may still be taken. */
async function send(path, answer) {
  try {
    await post(path, answer);
    tell("It is stored, and takes effect at once.");
    return [];
  } catch (error) {
    if (!["Problem", "Unreachable"].includes(error.name)) throw error;
    if (!MOOT.has(error.status)) return [error.message, ...(error.errors ?? []).map(({ pointer, detail }) => `${pointer} ${detail}`)];
    tellFault(error);
    return [];
  }
}

/** Return what is wrong with outputs as they are typed; an empty text: nothing. */
function faultOf(typed) {
  const found = pairs(typed);
  const wrong = found.find(([key, value]) => !key || value === undefined);
  if (wrong) return `Outputs are written name=value, one in each line; this is not: ${wrong.join("=").slice(0, 80)}`;
  const keys = found.map(([key]) => key);
  const twice = keys.find((key, place) => keys.indexOf(key) < place);
  return twice === undefined ? "" : `${twice} is there twice.`;
}

/** Return name and value of each line that is not empty; a line without a sign of equality has no value. */
function pairs(typed) {
  const lines = typed.split("\n").filter((line) => line.trim());
  return lines.map((line) => {
    const at = line.indexOf("=");
    return at < 0 ? [line.trim()] : [line.slice(0, at).trim(), line.slice(at + 1)];
  });
}
