/* The drawing that the service has laid out, as arrays of numbers, and what is asked of it: what is where. */

import { Grid } from "./grid.js";

export class Scene {
  /** `layout`: as `GET /v1/tasks/{id}/layout` answers it. */
  constructor(layout) {
    this.layout = layout;
    [this.width, this.height] = [layout.width, layout.height];
    [this.nodeWidth, this.nodeHeight] = [layout.node_width, layout.node_height];
    this.xs = Float64Array.from(layout.nodes, ([x]) => x);
    this.ys = Float64Array.from(layout.nodes, ([, y]) => y);
    this.from = Int32Array.from(layout.edges, ([from]) => from);
    this.to = Int32Array.from(layout.edges, ([, to]) => to);
    this.#connect(layout.edges);
    this.#nodes = new Grid(this.width, this.height, this.xs.length, (visit) => this.#nodeBoxes(visit));
    this.#edges = new Grid(this.width, this.height, this.from.length, (visit) => this.#edgeBoxes(visit));
  }

  #nodes;
  #edges;
  #columns = null;

  /** How many nodes there are. */
  get size() {
    return this.xs.length;
  }

  /** Return the ids of the nodes that may be seen in a window, valid until the next call. */
  nodesIn(window) {
    return this.#nodes.find(window);
  }

  /** Return the numbers of the edges that may be seen in a window, valid until the next call. */
  edgesIn(window) {
    return this.#edges.find(window);
  }

  /** Return the node at a place, or the nearest one that is no farther than `slack` from it; null if none is. */
  nodeAt(x, y, slack) {
    let [nearest, least] = [null, slack];
    for (const id of this.nodesIn({ left: x - slack, top: y - slack, right: x + slack, bottom: y + slack })) {
      const aside = Math.max(0, Math.abs(x - this.xs[id]) - this.nodeWidth / 2);
      const above = Math.max(0, Math.abs(y - this.ys[id]) - this.nodeHeight / 2);
      const distance = Math.hypot(aside, above);
      if (distance <= least) [nearest, least] = [id, distance];
    }
    return nearest;
  }

  /** Return the number of the edge between two nodes, -1 where none is drawn. Edges come in the order of their ends. */
  edge(from, to) {
    let [low, high] = [0, this.from.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.from[middle] < from || (this.from[middle] === from && this.to[middle] < to)) low = middle + 1;
      else high = middle;
    }
    return this.from[low] === from && this.to[low] === to ? low : -1;
  }

  /** Return the node `step` places below (above, if negative) in the same layer; null where the layer ends. */
  sibling(id, step) {
    const column = this.#inColumns().get(this.xs[id]);
    return column[column.indexOf(id) + step] ?? null;
  }

  /** Return which of some nodes is nearest to one; null of none. */
  nearest(id, others) {
    const distance = (other) => Math.hypot(this.xs[other] - this.xs[id], this.ys[other] - this.ys[id]);
    return others.length ? others.reduce((one, other) => (distance(other) < distance(one) ? other : one)) : null;
  }

  /** The node that comes first for those who read: the uppermost of the leftmost ones; null of none. */
  first() {
    const left = this.xs.reduce((one, other) => Math.min(one, other), Infinity);
    return this.#inColumns().get(left)?.[0] ?? null;
  }

  #inColumns() {
    if (this.#columns === null) {
      this.#columns = new Map();
      const ids = Array.from(this.ys.keys()).sort((one, other) => this.ys[one] - this.ys[other]);
      for (const id of ids) {
        if (!this.#columns.has(this.xs[id])) this.#columns.set(this.xs[id], []);
        this.#columns.get(this.xs[id]).push(id);
      }
    }
    return this.#columns;
  }

  /** Put the points of all edges behind each other: those of edge n are `points[starts[n]]` to `points[starts[n + 1]]`. */
  #connect(edges) {
    this.starts = new Uint32Array(edges.length + 1);
    edges.forEach(([, , points], number) => (this.starts[number + 1] = this.starts[number] + points.length));
    this.points = new Float32Array(this.starts[edges.length]);
    edges.forEach(([, , points], number) => this.points.set(points, this.starts[number]));
  }

  #nodeBoxes(visit) {
    const [aside, above] = [this.nodeWidth / 2, this.nodeHeight / 2];
    this.xs.forEach((x, id) => visit(id, x - aside, this.ys[id] - above, x + aside, this.ys[id] + above));
  }

  #edgeBoxes(visit) {
    const { points, starts } = this;
    for (let edge = 0; edge < this.from.length; edge += 1) {
      for (let place = starts[edge]; place < starts[edge + 1] - 2; place += 2) {
        const [y, next] = [points[place + 1], points[place + 3]]; // x never falls: edges go to the right
        visit(edge, points[place], Math.min(y, next), points[place + 2], Math.max(y, next));
      }
    }
  }
}
