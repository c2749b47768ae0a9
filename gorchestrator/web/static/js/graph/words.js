/* The selected node in words, for those who cannot see where it is. */

import { plural } from "../format.js";
import { stateOf } from "../states.js";

const NAMED = 5; // neighbours by name; of more, how many there are
const LONGEST = 80; // characters of a name

/** Return what a node is, what it needs and what needs it. */
export function describe(node, nodes) {
  const about = [short(node.name), `state ${stateOf(node.state).name}`];
  if (node.attempt > 1) about.push(`attempt ${node.attempt}`);
  return `${about.join(", ")}. ${side(node.before, nodes, "predecessor")}; ${side(node.after, nodes, "successor")}.`;
}

function side(ids, nodes, word) {
  if (!ids.length) return `no ${word}s`;
  const names = ids.slice(0, NAMED).map((id) => short(nodes[id].name)).join(", ");
  return `${plural(ids.length, word)}: ${names}${ids.length > NAMED ? " and others" : ""}`;
}

function short(name) {
  return name.length > LONGEST ? `${name.slice(0, LONGEST)}…` : name;
}
