/* Painting edges: one by one where there are few, and as sheets where there are many. */

const AT_ONCE = 64; // edges in a path: one of thousands is filled far slower than many of a few
const MOST = 40_000; // edges on a sheet; of more, nobody could tell any apart
const ARROW = { length: 7, height: 7 };

/** Stroke edges, in the pixels of the drawing. `curved`: with bends that are round. */
export function strokeEdges(context, scene, edges, curved) {
  const step = Math.max(1, Math.ceil(edges.length / MOST));
  context.beginPath();
  for (let place = 0, count = 1; place < edges.length; place += step, count += 1) {
    (curved ? traceCurve : traceLine)(context, scene, edges[place]);
    if (count % AT_ONCE) continue;
    context.stroke();
    context.beginPath();
  }
  context.stroke();
}

/** Fill the heads of edges. All of them point to the right, for so the service draws. */
export function fillHeads(context, { points, starts }, edges, size = 1) {
  context.beginPath();
  for (const edge of edges) {
    const [x, y] = [points[starts[edge + 1] - 2], points[starts[edge + 1] - 1]];
    context.moveTo(x, y);
    context.lineTo(x - ARROW.length * size, y - (ARROW.height / 2) * size);
    context.lineTo(x - ARROW.length * size, y + (ARROW.height / 2) * size);
  }
  context.fill();
}

function traceLine(context, { points, starts }, edge) {
  context.moveTo(points[starts[edge]], points[starts[edge] + 1]);
  for (let place = starts[edge] + 2; place < starts[edge + 1]; place += 2) context.lineTo(points[place], points[place + 1]);
}

function traceCurve(context, { points, starts }, edge) {
  let [x, y] = [points[starts[edge]], points[starts[edge] + 1]];
  context.moveTo(x, y);
  for (let place = starts[edge] + 2; place < starts[edge + 1]; place += 2) {
    const [nextX, nextY] = [points[place], points[place + 1]];
    const middle = (x + nextX) / 2;
    if (y === nextY || x === nextX) context.lineTo(nextX, nextY);
    else context.bezierCurveTo(middle, y, middle, nextY, nextX, nextY);
    [x, y] = [nextX, nextY];
  }
}

/** The edges of a part of the drawing, painted once. */
export class Sheet {
  #canvas = new OffscreenCanvas(1, 1);
  #area = null;
  scale = 0; // pixels of the sheet for one of the drawing

  /** Paint the edges of an area of the drawing at a scale. */
  paint(scene, area, scale, colour) {
    const [width, height] = [Math.ceil((area.right - area.left) * scale), Math.ceil((area.bottom - area.top) * scale)];
    Object.assign(this.#canvas, { width: Math.max(1, width), height: Math.max(1, height) });
    [this.#area, this.scale] = [area, scale];
    const context = this.#canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, -area.left * scale, -area.top * scale);
    context.lineWidth = 1 / scale;
    context.strokeStyle = colour;
    context.globalAlpha = 0.55;
    strokeEdges(context, scene, scene.edgesIn(area), false);
  }

  /** Forget what is painted. */
  clear() {
    this.#area = null;
  }

  /** Whether all edges of a window are on it. */
  covers({ left, top, right, bottom }) {
    const area = this.#area;
    return area !== null && left >= area.left && right <= area.right && top >= area.top && bottom <= area.bottom;
  }

  /** Put it into a context that is in the pixels of the drawing. */
  put(context) {
    const { left, top, right, bottom } = this.#area;
    context.drawImage(this.#canvas, left, top, right - left, bottom - top);
  }
}
