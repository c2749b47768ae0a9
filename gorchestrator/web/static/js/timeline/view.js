/* The nodes of a task over time (a Gantt chart): a row for each, in the order in which they began. */

import { fill, h, set } from "../dom.js";
import { isFinal } from "../states.js";
import { Rows } from "../nodes/rows.js";
import { Attempts } from "./attempts.js";
import { Axis } from "./axis.js";
import { Order } from "./order.js";
import { Row } from "./row.js";
import { Scale } from "./scale.js";

const TICK = 250; // milliseconds
const ZOOM = 1.5;
const BEHIND = 96; // pixels behind the last bar, for its length
const LEFT_OVER = 48; // pixels from the right end within which one follows the present moment
const SIDEWAYS = 120; // pixels

export class TimelineView {
  #model;
  #rows;
  #order;
  #scale = new Scale();
  #axis = new Axis(this.#scale);
  #scroller = h("div", { class: "rows", role: "grid", "aria-label": "Nodes over time" });
  #corner = h("div", { class: "timeline-name", role: "columnheader" }, "Node");
  #clock = h("button", { type: "button", onclick: () => this.#toggleClock() }, "Clock");
  #attempts;
  #critical = new Set();
  #isSettled = false; // whether time passes no more
  #shown = false;
  #timer = 0;

  constructor(root, model, { select, open }) {
    this.#model = model;
    this.#order = new Order(model);
    const time = h("div", { class: "timeline-lane", role: "columnheader", "aria-label": "Time" }, this.#axis.labels);
    const head = h("div", { class: "rows-row timeline-row timeline-head", role: "row" }, this.#corner, time);
    this.#attempts = new Attempts(model, (id) => this.#shown && this.#rows.has(id), (id) => this.#learned(id));
    const parts = { model, scale: this.#scale, attempts: this.#attempts, now: () => this.#now(), isCritical: (id) => this.#critical.has(id) };
    this.#rows = new Rows(this.#scroller, head, (id) => new Row(parts, id), { select, open });
    this.#scroller.prepend(this.#axis.lines);
    root.classList.add("timeline");
    fill(root, this.#tools(), this.#scroller);
    this.#listen();
    model.listen((change) => this.#take(change));
  }

  /** Be shown: catch up with what has changed meanwhile. */
  show() {
    this.#shown = true;
    this.#all();
    this.#timer = setInterval(() => this.#tick(), TICK);
  }

  /** Be hidden: do nothing. */
  hide() {
    this.#shown = false;
    this.#rows.never();
    clearInterval(this.#timer);
  }

  /** Move the focus to the active row. */
  focus() {
    this.#rows.focus();
  }

  #tools() {
    const button = (label, sign, action) => h("button", { type: "button", "aria-label": label, title: label, onclick: action }, sign);
    const key = (kind, words) => h("span", { class: "timeline-key" }, h("span", { class: `timeline-bar ${kind}`, "aria-hidden": "true" }), words);
    return h(
      "div",
      { class: "timeline-tools" },
      button("Zoom in", "+", () => this.#zoom(ZOOM)),
      button("Zoom out", "−", () => this.#zoom(1 / ZOOM)),
      button("Show all", "Fit", () => this.#fit()),
      this.#clock,
      h(
        "span",
        { class: "timeline-keys muted" },
        key("timeline-wait state-torun", "waits"),
        key("timeline-run state-running", "runs"),
        key("timeline-run state-success critical", "holds up the end"),
      ),
    );
  }

  #listen() {
    this.#scroller.addEventListener("scroll", () => this.#drawAxis());
    new ResizeObserver(() => this.#shown && this.#place()).observe(this.#scroller);
    const wheel = (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.#zoom(Math.exp(-event.deltaY / 300), event.clientX - this.#scroller.getBoundingClientRect().left - this.#names());
    };
    this.#scroller.addEventListener("wheel", wheel, { passive: false });
    this.#rows.body.addEventListener("keydown", (event) => this.#key(event));
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "+" || event.key === "=") this.#zoom(ZOOM);
    else if (event.key === "-") this.#zoom(1 / ZOOM);
    else if (event.key === "0" || event.key.toLowerCase() === "f") this.#fit();
    else if (event.key === "ArrowLeft") this.#scroller.scrollLeft -= SIDEWAYS;
    else if (event.key === "ArrowRight") this.#scroller.scrollLeft += SIDEWAYS;
    else return;
    event.preventDefault();
  }

  #take({ kind, id }) {
    if (kind === "whole") this.#order.clear();
    if (!this.#shown) return;
    if (kind === "whole") this.#all();
    else if (kind === "select") this.#rows.select(id);
    else if (kind === "task") this.#tick();
    else if (kind === "node") this.#node(this.#model.nodes[id]);
  }

  /** A node has changed: its own bars, when its successors could begin, and perhaps the order. */
  #node(node) {
    this.#rows.change(node.id);
    if (isFinal(node.state)) node.after.forEach((id) => this.#rows.change(id));
    if (this.#order.learn(node.id, node.start_date)) this.#rows.soon(() => this.#arrange());
  }

  #learned(id) {
    this.#rows.change(id);
    const [first] = this.#attempts.before(this.#model.nodes[id]);
    if (this.#order.learn(id, first?.start_date)) this.#rows.soon(() => this.#arrange());
  }

  #all() {
    if (!this.#model.task) return;
    this.#critical = this.#model.critical();
    this.#place();
    this.#rows.each((row) => row.update());
    this.#arrange();
    this.#rows.select(this.#model.selected);
  }

  #arrange() {
    this.#rows.put(this.#order.sorted());
  }

  /** Let time pass. */
  #tick() {
    const { task } = this.#model;
    if (!task || this.#isSettled) return;
    const { scrollLeft, scrollWidth, clientWidth } = this.#scroller;
    const follows = scrollLeft + clientWidth > scrollWidth - LEFT_OVER;
    this.#mark();
    this.#place();
    if (follows && !this.#scale.isFitted) this.#scroller.scrollLeft = this.#scroller.scrollWidth;
  }

  /** Mark the path that holds up the end, if it is another one. */
  #mark() {
    const before = this.#critical;
    this.#critical = this.#model.critical();
    if (before === this.#critical) return;
    for (const id of [...before, ...this.#critical]) if (before.has(id) !== this.#critical.has(id)) this.#rows.change(id);
  }

  /** Put everything where it is by now. */
  #place() {
    const { task } = this.#model;
    if (!task || !this.#scroller.clientWidth) return;
    const room = this.#scroller.clientWidth - this.#names();
    this.#scale.room(room - BEHIND);
    this.#scale.span(Date.parse(task.accepted_date), this.#now());
    this.#scroller.style.setProperty("--width", `${this.#names() + Math.max(room, this.#scale.width + BEHIND)}px`);
    this.#rows.each((row) => row.place());
    this.#isSettled = isFinal(task.state);
    this.#axis.now(this.#isSettled ? null : this.#now());
    this.#drawAxis();
  }

  #drawAxis() {
    if (!this.#model.task) return;
    this.#axis.draw(this.#scroller.scrollLeft, this.#scroller.clientWidth - this.#names());
    set(this.#clock, "aria-pressed", String(this.#axis.isClock));
  }

  #toggleClock() {
    this.#axis.isClock = !this.#axis.isClock;
    this.#drawAxis();
  }

  #fit() {
    this.#scale.fit();
    this.#place();
  }

  /** Zoom so that what is at a place keeps it. `at`: pixels from the left of what is seen of the lanes; the middle by default. */
  #zoom(factor, at = (this.#scroller.clientWidth - this.#names()) / 2) {
    const instant = this.#scale.instant(this.#scroller.scrollLeft + at);
    this.#scale.zoom(factor);
    this.#place();
    this.#scroller.scrollLeft = this.#scale.x(instant) - at;
    this.#drawAxis();
  }

  #names() {
    return this.#corner.offsetWidth;
  }

  /** Return the end of what is shown: the present moment, or the end of the task. */
  #now() {
    const { task } = this.#model;
    return isFinal(task.state) && task.stop_date ? Date.parse(task.stop_date) : Date.now();
  }
}
