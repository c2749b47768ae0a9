/* The page that signs in: takes a token, and leads back to where its reader came from. */

import { post } from "../api.js";
import { byId, text } from "../dom.js";

const form = byId("form");
const token = byId("token");
const fault = byId("fault");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  byId("send").disabled = true;
  try {
    await post("/session", { token: token.value });
    location.replace(next());
  } catch (error) {
    text(fault, error.message);
    fault.hidden = false;
    token.select();
    token.focus();
  } finally {
    byId("send").disabled = false;
  }
});

/** Return the page that was asked for, if it is one of this service. */
function next() {
  const wanted = new URL(new URLSearchParams(location.search).get("next") ?? "/", location.origin);
  return wanted.origin === location.origin ? wanted.href : "/";
}
