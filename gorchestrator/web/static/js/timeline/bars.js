/* The bars of a node: when it could have begun and waited, and when each of its attempts ran. */

import { isFinal } from "../states.js";

/**
 * Return the bars of a node in order: `{kind, state, from, to, attempt, of}`.
 *
 * `kind`: `wait`, `run`, or `end` for the moment at which a node ended that never began; `to` is null while it lasts; `of`: what
 * has the reason of an attempt. `earlier`: the attempts before that which the node tells of itself.
 */
export function barsOf(node, model, earlier) {
  const bars = [];
  let free = readySince(node, model);
  const wait = (to) => {
    if (free !== null && (to === null || free < to)) bars.push({ kind: "wait", state: 1, from: free, to, attempt: null, of: null });
  };
  const run = (of, to) => {
    const from = instant(of.start_date);
    wait(from);
    free = to;
    bars.push({ kind: "run", state: of.state, from, to, attempt: of.attempt, of });
  };
  for (const attempt of earlier) run(attempt, instant(attempt.stop_date ?? attempt.start_date)); // lost ones have no end
  if (node.start_date) run(node, instant(node.stop_date));
  else if (isFinal(node.state)) ended(node, wait, bars);
  else if (!isFinal(model.task.state)) wait(null);
  return bars;
}

function ended(node, wait, bars) {
  const to = instant(node.stop_date);
  if (to === null) return;
  wait(to);
  bars.push({ kind: "end", state: node.state, from: to, to, attempt: null, of: node });
}

/** Return when all predecessors had ended, null if they have not; at first it waits for nothing but the task. */
function readySince(node, model) {
  let last = model.task.accepted_date;
  for (const id of node.before) {
    const { state, stop_date: stop } = model.nodes[id];
    if (!isFinal(state)) return null;
    if (stop > last) last = stop;
  }
  return instant(last);
}

function instant(date) {
  return date ? Date.parse(date) : null;
}
