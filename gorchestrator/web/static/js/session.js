/* Who is signed in, in the head of every page; nothing where nobody has to be.

What the role may not do is not offered: see base.css. It is the service that refuses it. */

import { call, get } from "./api.js";
import { byId, fill, h, name } from "./dom.js";

const ROLES = { viewer: "may read", operator: "may run, cancel and resolve too", admin: "may do everything" };

try {
  const session = await get("/session");
  if (session.way !== "open") show(session);
} catch {
  // Whoever is not known is led away; what else is wrong, the page says where it asks for its own data.
}

function show(session) {
  document.body.dataset.role = session.role;
  const who = byId("who");
  const only = session.label ? `, with the label ${session.label} only` : "";
  fill(who, h("span", { title: `${session.role}: ${ROLES[session.role]}${only}` }, name(session.name), ` (${session.role})`),
    session.way === "token" && h("button", { type: "button", onclick: leave }, "Sign out"));
  who.hidden = false;
}

async function leave() {
  await call("DELETE", "/session").catch(() => {}); // then the next page says that it is still open
  location.assign("/signin");
}
