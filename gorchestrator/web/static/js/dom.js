/* Making elements. Whatever comes from outside becomes text, never markup: there is no innerHTML in these pages. */

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "path", "g", "circle", "rect", "line", "polyline", "text", "title"]);

/**
 * Return a new element.
 *
 * Attributes: `class`, `dataset` and `style` (objects), `on…` (listeners, such as `onclick`); true makes an attribute
 * without a value, and null, undefined and false leave it out. Children: elements, texts, numbers, lists of them;
 * null and false are left out.
 */
export function h(tag, attributes, ...children) {
  const element = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) set(element, name, value);
  element.append(...flat(children));
  return element;
}

/** Set one attribute as `h` does. */
export function set(element, name, value) {
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "dataset") Object.assign(element.dataset, value);
  else if (name === "style") for (const [property, text] of Object.entries(value)) element.style.setProperty(property, text);
  else if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : String(value));
}

/** Put children into an element in place of those that it has. */
export function fill(element, ...children) {
  element.replaceChildren(...flat(children));
}

/** Set an element's text if it differs, so that what did not change is not laid out again. */
export function text(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

/** Return the element with this id. */
export function byId(id) {
  return document.getElementById(id);
}

/** Return a name as an element of its own direction, so that it cannot turn the text around it. */
export function name(value, attributes) {
  return h("bdi", attributes, value);
}

/** Call `action` once, `wait` milliseconds after the last of many calls. */
export function debounced(action, wait) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...values), wait);
  };
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}
