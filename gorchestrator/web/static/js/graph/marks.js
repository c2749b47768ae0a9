/* What is marked in the picture: the selected node with its neighbours, and the path that holds up the end. */

export class Marks {
  selected = null;
  close = null; // ids of the selected node and its neighbours; null: nothing is selected
  near = []; // numbers of the edges between them
  critical = new Set(); // ids of the nodes that hold up the end
  path = []; // numbers of the edges between them

  /** Select a node, or none (null). */
  select(id, nodes, scene) {
    this.selected = id;
    [this.close, this.near] = [null, []];
    if (id === null) return;
    const { before, after } = nodes[id];
    this.close = new Set([id, ...before, ...after]);
    this.near = drawn([...before.map((other) => scene.edge(other, id)), ...after.map((other) => scene.edge(id, other))]);
  }

  /** Mark a path, from its last node to its first one; returns whether that is another one. */
  follow(critical, scene) {
    const ids = [...critical];
    const same = ids.length === this.critical.size && ids.every((id) => this.critical.has(id));
    if (same) return false;
    this.critical = new Set(ids);
    this.path = drawn(ids.slice(1).map((id, place) => scene.edge(id, ids[place])));
    return true;
  }
}

function drawn(edges) {
  return edges.filter((edge) => edge >= 0);
}
