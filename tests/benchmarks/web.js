/* Watches a page from inside, for web.py: when its graph is first seen (its canvas has more in it than its ground), how many
 * changes come, how long inputs take until what follows is painted, and when frames are drawn. */

globalThis.seen = { first: null, changes: 0, inputs: [], frames: null };
function look() {
  const canvas = document.querySelector("#graph canvas");
  if (canvas?.width && drawn(canvas)) requestAnimationFrame(() => { seen.first = performance.now(); });
  else requestAnimationFrame(look);
}
function drawn(canvas) {
  const small = Object.assign(document.createElement("canvas"), { width: 160, height: 100 });
  const context = small.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0, small.width, small.height);
  const pixels = new Uint32Array(context.getImageData(0, 0, small.width, small.height).data.buffer);
  return pixels.filter((pixel) => pixel !== pixels[0]).length > pixels.length / 200;
}
requestAnimationFrame(look);
const add = EventSource.prototype.addEventListener;
EventSource.prototype.addEventListener = function (kind, listener) {
  add.call(this, kind, (event) => {
    if (kind.startsWith("node_")) seen.changes += 1;
    listener(event);
  });
};
new PerformanceObserver((list) => seen.inputs.push(...list.getEntries().map(({ name, duration }) => [name, duration])))
  .observe({ type: "event", durationThreshold: 16 });
globalThis.count = () => {
  const frames = (seen.frames = []);
  const frame = (at) => {
    if (seen.frames !== frames) return;
    frames.push(at);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
};
globalThis.counted = () => {
  const { frames } = seen;
  seen.frames = null;
  return frames;
};
