/* The page of the executors: asks the service every few seconds, and shows what it finds. */

import { get, Problem } from "../api.js";
import { connection } from "../banner.js";
import { byId, fill, text } from "../dom.js";
import { plural, time } from "../format.js";
import { card } from "./card.js";

const PAUSE = 5000; // milliseconds between two answers
const ME = {};
const places = new Map(); // executors by name: the element, and what it shows
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
  timer = setTimeout(refresh, PAUSE);
}

function show(executors) {
  const cards = executors.map((executor) => {
    const known = places.get(executor.name);
    const shown = JSON.stringify(executor);
    if (known?.shown === shown) return known.element; // what did not change keeps its focus
    const element = card(executor, known?.element);
    places.set(executor.name, { element, shown });
    return element;
  });
  const list = byId("executors");
  if (cards.length !== list.children.length || cards.some((element, place) => element !== list.children[place])) fill(list, cards);
  list.removeAttribute("aria-busy");
  const away = executors.filter((executor) => !executor.reachable).length;
  text(byId("summary"), `${plural(executors.length, "executor")}${away ? `, ${away} not reachable` : ""}`);
  fill(byId("asked"), "asked at ", time(new Date().toISOString()));
}

document.addEventListener("visibilitychange", refresh);
refresh();
