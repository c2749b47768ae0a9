/* Colours that programs print as ANSI escape sequences, as classes of CSS.
 *
 * Colours beyond the sixteen classic ones become the nearest of those, which each theme has legible shades of. Every
 * other sequence, such as one that moves a cursor, is left out; other control characters are shown as pictures.
 */

const SEQUENCE =
  /\x1b\[([0-?]*[ -/]*[@-~]?)|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[PX^_][^\x1b]*(?:\x1b\\)?|\x1b[ -/]*[0-~]?/g;
const RENDITION = /^([\d;:]*)m$/; // what sets colours and styles: no marks of private use, nothing in between
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f]/g;
const OVERSTRUCK = /[^\x08]\x08/g; // bold and underlined text of manual pages: a character, a step back, another one

const STYLES = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike" };
const UNDERLINE_COLOUR = 58; // which is not shown, but followed by numbers as other colours are
const ENDS = { 22: ["bold", "dim"], 23: ["italic"], 24: ["underline"], 27: ["inverse"], 29: ["strike"] };
const CLASSIC = [
  [0, 0, 0], [205, 0, 0], [0, 205, 0], [205, 205, 0], [0, 0, 238], [205, 0, 205], [0, 205, 205], [229, 229, 229],
  [127, 127, 127], [255, 0, 0], [0, 255, 0], [255, 255, 0], [92, 92, 255], [255, 0, 255], [0, 255, 255], [255, 255, 255],
];
const STEPS = [0, 95, 135, 175, 215, 255]; // of the cube of the 256 colours

export class Ansi {
  #fore = null; // 0 to 15
  #back = null;
  #styles = new Set();

  /** Return the parts of a line, `{text, classes}`; what a line sets is in force on the next ones, too. */
  parts(line) {
    const parts = [];
    let done = 0;
    const add = (end) => {
      const text = plain(line.slice(done, end));
      if (text) parts.push({ text, classes: this.#classes() });
    };
    for (const found of line.matchAll(SEQUENCE)) {
      add(found.index);
      done = found.index + found[0].length;
      const rendition = RENDITION.exec(found[1] ?? "");
      if (rendition) this.#set(rendition[1].split(";"));
    }
    add(line.length);
    return parts;
  }

  /** Return one that goes on from here by itself. */
  copy() {
    const copy = new Ansi();
    [copy.#fore, copy.#back, copy.#styles] = [this.#fore, this.#back, new Set(this.#styles)];
    return copy;
  }

  #classes() {
    const classes = [...this.#styles].map((style) => `ansi-${style}`);
    if (this.#fore !== null) classes.push(`ansi-${this.#fore}`);
    if (this.#back !== null) classes.push(`ansi-on-${this.#back}`);
    return classes.join(" ");
  }

  /** Take in parameters as they are written; one with colons has all that it needs within itself. */
  #set(parameters) {
    for (let place = 0; place < parameters.length; place += 1) {
      const [code, ...within] = parameters[place].split(":").map(Number);
      if (code === 38 || code === 48 || code === UNDERLINE_COLOUR) {
        const [colour, used] = within.length ? [divided(within), 0] : extended(parameters.slice(place + 1).map(Number));
        if (code === 38) this.#fore = colour;
        else if (code === 48) this.#back = colour;
        place += used;
      } else if (!within.length) this.#simple(code);
      else if (code === 4) this.#simple(within[0] ? 4 : 24); // kinds of underlines, of which 0 is none
    }
  }

  #simple(code) {
    if (code === 0) {
      this.#fore = this.#back = null;
      this.#styles.clear();
    } else if (STYLES[code]) this.#styles.add(STYLES[code]);
    else if (ENDS[code]) ENDS[code].forEach((style) => this.#styles.delete(style));
    else if (code === 39) this.#fore = null;
    else if (code === 49) this.#back = null;
    else if (code >= 30 && code < 38) this.#fore = code - 30;
    else if (code >= 40 && code < 48) this.#back = code - 40;
    else if (code >= 90 && code < 98) this.#fore = code - 82;
    else if (code >= 100 && code < 108) this.#back = code - 92;
  }
}

/** Return the colour, null if it is none, and how many numbers tell it: 5;N, or 2;R;G;B. */
function extended([kind, ...numbers]) {
  if (kind === 5) return [numbers[0] < 16 ? numbers[0] : nearest(cube(numbers[0])), 2];
  if (kind === 2) return [nearest(numbers.slice(0, 3)), 4];
  return [null, 1];
}

/** Return the colour that colons divide, null if it is none: 5:N, 2:R:G:B, or 2:SPACE:R:G:B with more behind it. */
function divided([kind, ...numbers]) {
  return extended([kind, ...(kind === 2 && numbers.length > 3 ? numbers.slice(1) : numbers)])[0];
}

function cube(number) {
  if (number >= 232) return Array(3).fill(8 + 10 * (number - 232));
  const place = number - 16;
  return [STEPS[Math.floor(place / 36)], STEPS[Math.floor(place / 6) % 6], STEPS[place % 6]];
}

/** Return the number of the classic colour that is nearest; null for what is no colour. */
function nearest(colour) {
  if (colour.length < 3 || !colour.every((part) => part >= 0 && part < 256)) return null;
  const distances = CLASSIC.map((other) => other.reduce((sum, part, place) => sum + (part - colour[place]) ** 2, 0));
  return distances.indexOf(Math.min(...distances));
}

function plain(text) {
  return text.replace(OVERSTRUCK, "").replace(CONTROL, (sign) => String.fromCharCode(sign === "\x7f" ? 0x2421 : 0x2400 + sign.charCodeAt(0)));
}
