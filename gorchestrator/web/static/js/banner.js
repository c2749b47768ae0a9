/* What the frame of each page tells: whether the service can be reached, and messages about what was done. */

import { byId, fill, h } from "./dom.js";

const PATIENCE = 800; // milliseconds: a service that is reloaded is back before anybody has to know
const SHOWN = 8000; // milliseconds that a message stays; faults stay until they are closed
const lost = new Set();
let timer = 0;

/** Tell that `who` (any value) cannot reach the service, or can again. The banner is shown while anybody cannot. */
export function connection(who, isThere) {
  if (isThere) lost.delete(who);
  else lost.add(who);
  const banner = byId("banner");
  if (!lost.size) {
    clearTimeout(timer);
    timer = 0;
    banner.hidden = true;
    fill(banner);
  } else if (!timer) {
    timer = setTimeout(() => {
      fill(banner, "The service does not answer. What you see may be old; it is brought up to date when the service is back.");
      banner.hidden = false;
    }, PATIENCE);
  }
}

/** Show a message for a while. */
export function tell(message) {
  show(message, "");
}

/** Show what went wrong, until somebody closes it. `error`: an Error or a text. */
export function tellFault(error) {
  show(error.message ?? String(error), "fault");
}

function show(message, kind) {
  const close = h("button", { type: "button", class: "plain", "aria-label": "Close this message" }, "✕");
  const notice = h("div", { class: kind }, h("p", { dir: "auto" }, message), close);
  close.addEventListener("click", () => notice.remove());
  byId("notices").append(notice);
  if (!kind) setTimeout(() => notice.remove(), SHOWN);
}
