/* A small drawing of a gorch that is not sent yet, as the service lays it out. The task's page draws larger ones. */

import { byId, fill, h, text } from "../dom.js";
import { count } from "../format.js";

/** Most nodes that are drawn here. */
export const DRAWN = 500;

const MARGIN = 12;
const CHARACTER = 7.8; // pixels of one, about

export class Drawing {
  #picked;

  /** `picked(place)` is called when the node at this place of the document is clicked. */
  constructor(picked) {
    this.#picked = picked;
  }

  /** Show a result of `Check`; a drawing stays, paler, while its text is faulty. */
  show({ kind, answer, nodes }) {
    const panel = byId("drawing");
    if (kind === "empty") panel.hidden = true;
    if (kind === "valid") {
      panel.hidden = false;
      if (answer.layout) this.#draw(answer, nodes);
      else fill(byId("canvas"));
    }
    if (kind !== "checking") panel.classList.toggle("stale", kind !== "valid");
    text(byId("drawing-note"), note(kind, answer, byId("canvas").childElementCount > 0));
    byId("drawing-note").hidden = !byId("drawing-note").textContent;
  }

  #draw({ layout, critical_path: longest }, nodes) {
    const places = byNumber(nodes);
    const path = new Set(longest.nodes.slice(1).map((node, place) => `${longest.nodes[place]} ${node}`));
    const [width, height] = [layout.width + 2 * MARGIN, layout.height + 2 * MARGIN];
    const svg = h(
      "svg",
      { viewBox: `${-MARGIN} ${-MARGIN} ${width} ${height}`, style: { "--natural": `${width}px` } },
      layout.edges.map(([from, to, points]) => h("polyline", { class: path.has(`${from} ${to}`) ? "edge longest" : "edge", points: points.join(" ") })),
      layout.nodes.map((centre, number) => this.#node(centre, layout, nodes[places[number]], places[number])),
    );
    fill(byId("canvas"), svg);
  }

  #node([x, y], { node_width: width, node_height: height }, { name, engine }, place) {
    // An SVG inside of an SVG cuts what is longer than itself, in whatever script.
    return h(
      "svg",
      { class: "node", x: x - width / 2, y: y - height / 2, width, height, onclick: () => this.#picked(place) },
      h("title", {}, `${name}\n${engine || "nil"}`),
      h("rect", { x: 1, y: 1, width: width - 2, height: height - 2, rx: 5 }),
      h("text", { x: "50%", y: "50%" }, shortened(name, width)),
    );
  }
}

/** Return the places in the document by the numbers of nodes. */
function byNumber(nodes) {
  const places = [];
  nodes.forEach(({ id }, place) => (places[id ?? place] = place));
  return places;
}

function shortened(name, width) {
  const letters = [...name];
  const fitting = Math.max(3, Math.floor((width - 16) / CHARACTER));
  return letters.length <= fitting ? name : `${letters.slice(0, fitting - 1).join("")}…`;
}

function note(kind, answer, isDrawn) {
  if (kind === "faulty") return isDrawn ? "As it was before the faults." : "";
  if (kind !== "valid" || answer.layout) return "";
  if (answer.nodes <= DRAWN) return "The service cannot draw this graph now. It can be submitted all the same.";
  return `Not drawn here: it has ${count(answer.nodes)} nodes, and this page draws up to ${count(DRAWN)}. The page of the task draws all of them once it is submitted.`;
}
