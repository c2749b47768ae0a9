/* An index of boxes on a plane: which lie in a window. So a picture costs what is seen of a graph, not its size. */

const MOST_CELLS = 128; // in each direction

export class Grid {
  #columns;
  #rows;
  #cellWidth;
  #cellHeight;
  #starts; // of each cell's items, in #items
  #items;
  #seen; // by item: the search that has found it last
  #search = 0;
  #found;

  /**
   * Index the items 0 to `count` - 1 on a plane of this size.
   *
   * `boxes(visit)` calls `visit(item, left, top, right, bottom)` for each item in order, as often as it has boxes; it is
   * asked twice.
   */
  constructor(width, height, count, boxes) {
    const cells = Math.min(MOST_CELLS, Math.max(1, Math.ceil(Math.sqrt(count))));
    [this.#columns, this.#rows] = [cells, cells];
    [this.#cellWidth, this.#cellHeight] = [Math.max(1, width / cells), Math.max(1, height / cells)];
    this.#seen = new Uint32Array(count);
    this.#found = new Int32Array(count);
    this.#fill(boxes);
  }

  /** Return the items whose boxes may reach into a window, each once and in no order; valid until the next search. */
  find({ left, top, right, bottom }) {
    this.#search += 1;
    let length = 0;
    this.#each(left, top, right, bottom, (cell) => {
      for (let place = this.#starts[cell]; place < this.#starts[cell + 1]; place += 1) {
        const item = this.#items[place];
        if (this.#seen[item] === this.#search) continue;
        this.#seen[item] = this.#search;
        this.#found[length++] = item;
      }
    });
    return this.#found.subarray(0, length);
  }

  #fill(boxes) {
    const cells = this.#columns * this.#rows;
    const lengths = this.#places(boxes, () => {});
    this.#starts = new Uint32Array(cells + 1);
    for (let cell = 0; cell < cells; cell += 1) this.#starts[cell + 1] = this.#starts[cell] + lengths[cell];
    this.#items = new Int32Array(this.#starts[cells]);
    this.#places(boxes, (cell, item, place) => (this.#items[this.#starts[cell] + place] = item));
  }

  /** Call `put(cell, item, place)` once for each item of a cell; returns how many items each cell has. */
  #places(boxes, put) {
    const lengths = new Uint32Array(this.#columns * this.#rows);
    const latest = new Int32Array(lengths.length).fill(-1);
    boxes((item, left, top, right, bottom) =>
      this.#each(left, top, right, bottom, (cell) => {
        if (latest[cell] === item) return;
        latest[cell] = item;
        put(cell, item, lengths[cell]++);
      }),
    );
    return lengths;
  }

  #each(left, top, right, bottom, visit) {
    const first = inside(left / this.#cellWidth, this.#columns);
    const last = inside(right / this.#cellWidth, this.#columns);
    const lowest = inside(bottom / this.#cellHeight, this.#rows);
    for (let row = inside(top / this.#cellHeight, this.#rows); row <= lowest; row += 1) {
      for (let column = first; column <= last; column += 1) visit(row * this.#columns + column);
    }
  }
}

function inside(place, count) {
  return Math.min(count - 1, Math.max(0, Math.floor(place)));
}
