/* The page of the tasks: the URL says what is wanted, the service answers it, and the journal keeps it up to date. */

import { get, Problem } from "../api.js";
import { byId, text } from "../dom.js";
import { plural } from "../format.js";
import { Live } from "../live.js";
import { Bulk } from "./bulk.js";
import { showEmpty, showRefused } from "./empty.js";
import { Filters } from "./filters.js";
import { Tasks } from "./model.js";
import { Pager } from "./pager.js";
import { forApi, isFiltered, read, unfiltered, write } from "./query.js";
import { Table } from "./table.js";

const REFRESH = 1000; // milliseconds between two looks for tasks that come and go
const SOON = 100;

let wanted = read(location.search);
let looked = 0; // when the list was loaded last
let timer = 0;

const tasks = new Tasks((task) => table.changed(task));
const filters = new Filters(go);
const table = new Table(tasks, {
  sorted: (sort) => go({ ...wanted, sort, cursor: "" }),
  labelled: (label) => filters.add(label),
  picked: (ids) => bulk.show(ids),
});
const bulk = new Bulk(tasks, () => table.pick([]));
const pager = new Pager((cursor, trail) => go({ ...wanted, cursor }, false, trail));

/** Show something else from now on; while somebody types, no entry of the history is made for each letter. */
function go(next, isTyping = false, trail = []) {
  wanted = next;
  history[isTyping ? "replaceState" : "pushState"]({ trail }, "", write(wanted));
  again();
}

/** Load the list that is wanted. Returns the number of the last event that it holds. */
async function load() {
  filters.show(wanted);
  table.sorted(wanted.sort);
  byId("tasks").setAttribute("aria-busy", "true");
  const list = await tasks.take(() => get("/tasks", { query: forApi(wanted) }));
  looked = Date.now();
  table.show();
  pager.show(wanted.cursor, history.state?.trail ?? [], list.next);
  const found = tasks.all.length;
  text(byId("total"), list.next || wanted.cursor ? `${plural(found, "task")} on this page` : plural(found, "task"));
  showEmpty(found ? null : isFiltered(wanted) || wanted.cursor ? "filtered" : "none", clear);
  byId("tasks").removeAttribute("aria-busy");
  return list.seq;
}

/** Load the list while its changes are followed already. */
async function again() {
  clearTimeout(timer);
  timer = 0;
  if (live.isEnded) {
    live = follow(); // what was refused before ended it
    return;
  }
  try {
    await load();
  } catch (error) {
    if (error instanceof Problem && error.status < 500) refused(error);
    else live.reload(); // it tries until the service is back
  }
}

/** Take in an event; true never: the list has no end. */
function apply(event) {
  tasks.apply(event);
  if (!timer && mayMoveRows(event)) timer = setTimeout(again, Math.max(SOON, looked + REFRESH - Date.now()));
}

/** Whether an event may bring a task to this page or take it away: the service says which, and in which order. */
function mayMoveRows({ kind }) {
  if (kind === "task_accepted") return true;
  const ordered = /state|started|duration/.test(wanted.sort);
  return (kind === "task_started" || kind === "task_final") && (ordered || wanted.states.length > 0);
}

function refused(problem) {
  table.show();
  byId("tasks").removeAttribute("aria-busy");
  showRefused(problem, () => go(read("")));
}

function clear() {
  go(unfiltered(wanted));
}

window.addEventListener("popstate", () => {
  wanted = read(location.search);
  filters.show(wanted, true);
  again();
});
function follow() {
  return new Live({ path: "/v1/events", load, apply, refused });
}

let live = follow();
