/* What the timeline shows, in words: on hover, and for those who do not see it. */

import { duration } from "../format.js";
import { stateOf } from "../states.js";

const EXACT = new Intl.DateTimeFormat(undefined, {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3,
});

/** Return what is said of a bar when one points at it. */
export function aboutBar(bar) {
  const times = bar.to === null ? `since ${EXACT.format(bar.from)}` : `${EXACT.format(bar.from)}\n${EXACT.format(bar.to)}`;
  if (bar.kind === "end") return [stateOf(bar.state).name, bar.of.reason, EXACT.format(bar.to)].filter(Boolean).join("\n");
  const head = bar.kind === "wait" ? "waits" : `${attempt(bar)}${stateOf(bar.state).name}`;
  return [head, bar.of?.reason, length(bar), times].filter(Boolean).join("\n");
}

/** Return what is said of a whole node. */
export function aboutNode(node, bars, isCritical) {
  const parts = bars.map((bar) => {
    if (bar.kind === "end") return `ended at ${EXACT.format(bar.to)} without having begun`;
    const head = bar.kind === "wait" ? (bar.to === null ? "waits" : "waited") : `${attempt(bar)}${stateOf(bar.state).name}`;
    if (bar.to === null) return `${head} since ${EXACT.format(bar.from)}`;
    return bar.kind === "wait" ? `${head} ${length(bar)}` : `${head}, ran ${length(bar)} from ${EXACT.format(bar.from)} to ${EXACT.format(bar.to)}`;
  });
  const path = isCritical ? ["on the path that holds up the end"] : [];
  return [`${node.name}: ${stateOf(node.state).name}`, ...parts, ...path].join("; ");
}

function attempt(bar) {
  return bar.attempt ? `attempt ${bar.attempt}: ` : "";
}

function length(bar) {
  return bar.to === null ? "" : duration(Math.max(0, bar.to - bar.from) / 1000);
}
