/* The keys of the canvas: they move the picture, or, where a node is selected, go from node to node. */

const STEP = 80; // pixels
const ZOOM = 1.3;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** What the keys do, for those who cannot see the picture. */
export const KEYS =
  "Home selects the first node. With a node selected, Right goes to a successor, Left to a predecessor, Up and Down to the " +
  "next nodes of the same layer, Enter opens its details, and Escape unselects. Without one, or with Shift, the arrows move " +
  "the picture. Plus and minus zoom, and 0 or F shows all.";

/**
 * Listen to the keys of the canvas.
 *
 * `model`: the task; `scene()`: its drawing, or null; `go(id)` selects a node or none, and shows where it is; `open(id)`.
 */
export function listenToKeys(canvas, camera, model, { scene, go, open }) {
  const simple = {
    "+": () => camera.zoom(ZOOM),
    "=": () => camera.zoom(ZOOM),
    "-": () => camera.zoom(1 / ZOOM),
    0: () => camera.fit(),
    f: () => camera.fit(),
    Home: () => go(scene().first()),
    Enter: () => model.selected !== null && open(model.selected),
    Escape: () => model.selected !== null && go(null),
  };

  function arrow([right, down], shift) {
    if (model.selected === null || shift) return camera.pan(-right * STEP, -down * STEP);
    const next = neighbour(model, scene(), right, down);
    if (next !== null) go(next);
  }

  canvas.addEventListener("keydown", (event) => {
    if (scene() === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (ARROWS[key]) arrow(ARROWS[key], event.shiftKey);
    else if (Object.hasOwn(simple, key)) simple[key]();
    else return;
    event.preventDefault();
  });
}

function neighbour(model, scene, right, down) {
  const node = model.nodes[model.selected];
  if (down) return scene.sibling(node.id, down);
  return scene.nearest(node.id, right > 0 ? node.after : node.before);
}
