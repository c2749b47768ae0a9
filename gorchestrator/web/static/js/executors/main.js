/* The page of the executors: asks the service every few seconds, and shows what it finds. */

import { get, Problem } from "../api.js";
import { connection } from "../banner.js";
import { byId, fill, text } from "../dom.js";
import { plural, time } from "../format.js";
import { Card } from "./card.js";

const PAUSE = 5000; // milliseconds between two answers
const ME = {};
const cards = new Map(); // by the executor's name
let timer = 0;

async function refresh() {
  clearTimeout(timer);
  if (document.hidden) return; // goes on when the tab is shown
  try {
    show((await get("/ping")).executors);
    connection(ME, true);
  } catch (error) {
    connection(ME, error instanceof Problem && error.status < 500);
  }
  clearTimeout(timer); // the tab may have been hidden and shown meanwhile
  timer = setTimeout(refresh, PAUSE);
}

function show(executors) {
  for (const executor of executors) {
    if (!cards.has(executor.name)) cards.set(executor.name, new Card(executor));
    cards.get(executor.name).show(executor);
  }
  const list = byId("executors");
  const elements = executors.map(({ name }) => cards.get(name).element);
  if (elements.length !== list.children.length || elements.some((element, place) => element !== list.children[place])) fill(list, elements);
  list.removeAttribute("aria-busy");
  const away = executors.filter((executor) => !executor.reachable).length;
  text(byId("summary"), `${plural(executors.length, "executor")}${away ? `, ${away} not reachable` : ""}`);
  fill(byId("asked"), "asked at ", time(new Date().toISOString()));
}

document.addEventListener("visibilitychange", refresh);
refresh();
