/* The page of a task: one model, three views of it, and a drawer for the selected node. The URL says what is shown. */

import { byId, fill, h } from "../dom.js";
import { Drawer } from "../drawer/drawer.js";
import { GraphView } from "../graph/view.js";
import { Live } from "../live.js";
import { TableView } from "../nodes/view.js";
import { TimelineView } from "../timeline/view.js";
import { cancel, rerun } from "./actions.js";
import { Header } from "./header.js";
import { Model } from "./model.js";
import { Tabs } from "./tabs.js";

const model = new Model(location.pathname.split("/")[2]);
new Header(model);

const actions = { select, open };
const tabs = new Tabs(
  {
    graph: new GraphView(byId("graph"), model, actions),
    table: new TableView(byId("table"), model, actions),
    timeline: new TimelineView(byId("timeline"), model, actions),
  },
  (view) => write({ view }, true),
);
const drawer = new Drawer(byId("drawer"), model, { select, close, rerun: (names) => rerun(model, names) });

/** Select a node, or none; the drawer shows it if it is open. */
function select(id) {
  model.select(id);
  if (id === null) close();
  else if (!byId("drawer").hidden) drawer.open(id);
  write({ node: id === null ? null : model.nodes[id].name });
}

/** Select a node and show it in the drawer. */
function open(id) {
  model.select(id);
  byId("drawer").hidden = false;
  document.body.classList.add("with-drawer");
  drawer.open(id);
  write({ node: model.nodes[id].name });
}

/** Close the drawer, and go back to where its node is. */
function close() {
  if (byId("drawer").hidden) return;
  drawer.close();
  byId("drawer").hidden = true;
  document.body.classList.remove("with-drawer");
  tabs.focus();
}

/** Bring the URL up to date; `entry`: as one to come back to. */
function write(changes, entry = false) {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) query.delete(key);
    else query.set(key, value);
  }
  const search = query.size ? `?${query}` : "";
  if (search !== location.search) history[entry ? "pushState" : "replaceState"](null, "", location.pathname + search);
}

/** Show what the URL says. */
function read() {
  const query = new URLSearchParams(location.search);
  tabs.show(query.get("view"));
  const wanted = query.get("node");
  const node = wanted ? (model.byName(wanted) ?? model.nodes[Number(wanted)]) : undefined;
  if (node) open(node.id);
  else if (model.selected !== null) select(null);
}

async function load() {
  const first = model.task === null;
  const seq = await model.load();
  if (first) {
    byId("page").hidden = false;
    read();
  }
  return seq;
}

function refused(problem) {
  byId("page").hidden = true;
  fill(byId("missing"), h("p", {}, problem.message), h("p", {}, h("a", { href: "/" }, "Show all tasks")));
  byId("missing").hidden = false;
}

byId("cancel").addEventListener("click", () => cancel(model));
byId("rerun").addEventListener("click", () => rerun(model));
byId("rerun-all").addEventListener("click", () => rerun(model, model.nodes.filter((node) => !node.before.length).map((node) => node.name)));
window.addEventListener("popstate", read);
new Live({ path: `/v1${model.path}/events`, load, apply: (event) => model.apply(event), refused });
