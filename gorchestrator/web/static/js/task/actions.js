/* What is done with a task: cancel it, and run it again. */

import { del, key, post } from "../api.js";
import { tell, tellFault } from "../banner.js";
import { ask } from "../dialog.js";
import { h, name } from "../dom.js";
import { plural } from "../format.js";

const NAMED = 12; // nodes in a list

/** Ask, then cancel the task. */
export async function cancel(model) {
  const running = model.nodes.filter((node) => node.state === 2).length;
  const body = h("p", {}, `${plural(running, "node")} running now will be killed; what has not begun is not started.`);
  if (!(await ask({ title: "Cancel this task?", body, action: "Cancel the task", danger: true }))) return;
  try {
    await del(model.path, { query: { digraph: false } });
    tell("The task is being canceled.");
  } catch (error) {
    tellFault(error);
  }
}

/** Show what would run again, ask, and go to the new task. `from`: names of nodes; empty: from what failed. */
export async function rerun(model, from = []) {
  const wanted = { from: from.length ? from : "failed" };
  try {
    const preview = await post(`${model.path}/rerun`, { ...wanted, preview: true });
    const title = from.length === 1 ? "Run again from this node?" : "Run again?";
    if (!(await ask({ title, body: told(preview), action: `Run ${plural(preview.runs.length, "node")}` }))) return;
    const { id } = await post(`${model.path}/rerun`, wanted, { headers: { "Idempotency-Key": key() } });
    location.assign(`/tasks/${id}`);
  } catch (error) {
    tellFault(error);
  }
}

function told({ runs, reused }) {
  return [
    h("h3", {}, `Runs: ${plural(runs.length, "node")}`),
    listed(runs),
    h("h3", {}, `Is taken over, with its outputs: ${plural(reused.length, "node")}`),
    listed(reused),
    h("p", { class: "muted" }, "It becomes a new task; this one stays as it is."),
  ];
}

function listed(nodes) {
  if (!nodes.length) return h("p", { class: "muted" }, "none");
  return h(
    "ul",
    {},
    nodes.slice(0, NAMED).map((node) => h("li", { class: "cut" }, name(node.name))),
    nodes.length > NAMED && h("li", { class: "muted" }, `and ${nodes.length - NAMED} more`),
  );
}
