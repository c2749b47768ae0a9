/* The order of the timeline: by when nodes began first, then by number; what has not begun comes last. */

export class Order {
  #model;
  #first = []; // by node: when it began first, as far as that is known

  constructor(model) {
    this.#model = model;
  }

  /** Forget everything: there are other nodes. */
  clear() {
    this.#first = [];
  }

  /** Learn when a node, or an attempt of it, began; true if that changes the order. */
  learn(id, start) {
    if (!start || this.#first[id] <= start) return false;
    this.#first[id] = start;
    return true;
  }

  /** Return the ids of all nodes in order. */
  sorted() {
    const { nodes } = this.#model;
    for (const node of nodes) this.learn(node.id, node.start_date);
    const first = this.#first;
    const begun = [];
    const others = [];
    for (const { id } of nodes) (first[id] ? begun : others).push(id);
    begun.sort((one, other) => (first[one] < first[other] ? -1 : first[one] > first[other] ? 1 : one - other));
    return [...begun, ...others];
  }
}
