/* The earlier attempts of nodes: the task's JSON has only the last one of each, so they are asked for once they are seen. */

const AT_ONCE = 2; // requests
const PAUSE = 5000; // milliseconds after a fault

export class Attempts {
  #model;
  #isSeen;
  #loaded;
  #known = new Map(); // by node: {mark, list}
  #wanted = new Set(); // the last one first: that is what is looked at now
  #running = 0;

  /** `isSeen(id)`: whether it is still worth asking; `loaded(id)` is called when attempts of a node have come. */
  constructor(model, isSeen, loaded) {
    [this.#model, this.#isSeen, this.#loaded] = [model, isSeen, loaded];
  }

  /** Return the attempts before that which the node itself tells of, as far as they are known, and ask for the others. */
  before(node) {
    const mark = markOf(node);
    const known = this.#known.get(node.id);
    if (mark && known?.mark !== mark) this.#want(node.id);
    return (known?.list ?? []).filter(({ attempt }) => attempt < node.attempt || (attempt === node.attempt && !node.start_date));
  }

  #want(id) {
    this.#wanted.delete(id);
    this.#wanted.add(id);
    this.#work();
  }

  #again(id) {
    this.#known.delete(id);
    this.#loaded(id); // its row asks for them again if it is still there
  }

  #work() {
    while (this.#running < AT_ONCE && this.#wanted.size) {
      const id = [...this.#wanted].at(-1);
      this.#wanted.delete(id);
      if (this.#isSeen(id)) this.#load(id);
    }
  }

  async #load(id) {
    const mark = markOf(this.#model.nodes[id]);
    this.#known.set(id, { mark, list: this.#known.get(id)?.list ?? [] });
    this.#running += 1;
    try {
      const list = await this.#model.attempts(id);
      this.#known.set(id, { mark, list: list.filter((attempt) => attempt.start_date) });
      this.#loaded(id);
    } catch (error) {
      if (!["Problem", "Unreachable"].includes(error.name)) throw error;
      setTimeout(() => this.#again(id), PAUSE);
    } finally {
      this.#running -= 1;
      this.#work();
    }
  }
}

/** Return what changes when a node has another earlier attempt; empty if it cannot have any. */
function markOf({ attempt, start_date: start }) {
  return attempt > 1 || (attempt === 1 && !start) ? `${attempt} ${Boolean(start)}` : "";
}
