/* Reads JSON as strictly as the service does, and says where everything stands.
 *
 * The browser's own parser tells neither where a value is nor, in every browser, where an error is.
 */

const DEEPEST = 500; // containers in each other; the service refuses documents that are much deeper
const DIGITS = 20; // of an integer, with its sign, as the service takes them
const SPACE = /[ \t\n\r]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const WORD = /[\p{L}\p{N}_.+-]+/uy;
const CLOSING = { "{": "}", "[": "]" };
const QUOTE = 34;
const BACKSLASH = 92;
const SHOWN = 20; // characters of a word that is wrong

/** What is wrong with a text, and the offset at which. */
export class NotJson extends Error {
  constructor(message, at) {
    super(message);
    this.at = at;
  }
}

/**
 * Read a text; throws NotJson at the first thing that is no JSON.
 *
 * The visitor's methods are called in the order of the text, with offsets; each may be left out:
 * `open(bracket, at)` and `close(at)` (behind the bracket) of objects and lists, `key(from, to)` of a member, and
 * `scalar(from, to)` of strings, numbers, true, false and null.
 */
export function scan(text, visitor = {}) {
  new Scanner(text, visitor).document();
}

class Scanner {
  #text; #visitor;
  #at = 0;

  constructor(text, visitor) {
    this.#text = text;
    this.#visitor = visitor;
  }

  document() {
    this.#space();
    if (this.#at === this.#text.length) this.#fail("there is no text yet");
    this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) this.#fail(`the document has ended, and ${this.#seen()} follows`);
  }

  #value(depth) {
    const first = this.#text[this.#at];
    if (first === "{" || first === "[") this.#container(first, depth);
    else this.#scalar(first);
  }

  #container(bracket, depth) {
    if (depth === DEEPEST) this.#fail("is nested too deeply");
    const begin = this.#at;
    const closing = CLOSING[bracket];
    const keys = bracket === "{" ? new Set() : null;
    this.#visitor.open?.(bracket, begin);
    this.#at += 1;
    this.#space();
    if (this.#text[this.#at] !== closing) {
      for (;;) {
        if (keys) this.#member(keys);
        this.#value(depth + 1);
        this.#space();
        const next = this.#text[this.#at];
        if (next === closing) break;
        if (next !== ",") this.#unended(bracket, begin);
        const comma = this.#at;
        this.#at += 1;
        this.#space();
        if (this.#text[this.#at] === closing) this.#fail("nothing follows this comma; take it away", comma);
      }
    }
    this.#at += 1;
    this.#visitor.close?.(this.#at);
  }

  /** Tell what is missing where neither a comma nor the end of a container is. */
  #unended(bracket, begin) {
    const closing = CLOSING[bracket];
    if (this.#at < this.#text.length) this.#fail(`a comma or ${closing} is missing before ${this.#seen()}`);
    const line = this.#text.slice(0, begin).split("\n").length;
    this.#fail(`the text ends, and the ${bracket} of line ${line} is not closed: ${closing} is missing`);
  }

  #member(keys) {
    const from = this.#at;
    if (this.#text.charCodeAt(from) !== QUOTE) this.#fail(`a key in double quotes is missing before ${this.#seen()}`);
    this.#string();
    const key = JSON.parse(this.#text.slice(from, this.#at));
    if (keys.has(key)) this.#fail(`the key "${key.slice(0, 100)}" occurs twice in one object`, from);
    keys.add(key);
    this.#visitor.key?.(from, this.#at);
    this.#space();
    if (this.#text[this.#at] !== ":") this.#fail(`a colon is missing before ${this.#seen()}`);
    this.#at += 1;
    this.#space();
  }

  #scalar(first) {
    const from = this.#at;
    if (first === '"') this.#string();
    else if (first === "-" || (first >= "0" && first <= "9")) this.#number();
    else this.#word();
    this.#visitor.scalar?.(from, this.#at);
  }

  #string() {
    const begin = this.#at;
    for (let at = begin + 1; ; at += 1) {
      const code = this.#text.charCodeAt(at);
      if (code === QUOTE) {
        this.#at = at + 1;
        return;
      }
      if (code === BACKSLASH) {
        ESCAPE.lastIndex = at;
        if (!ESCAPE.test(this.#text)) this.#fail("a backslash begins nothing that JSON knows; a backslash itself is \\\\", at);
        at = ESCAPE.lastIndex - 1;
      } else if (!(code >= 32)) {
        if (at >= this.#text.length || code === 10 || code === 13) this.#fail('this text is not closed: " is missing; a new line in a text is \\n', begin);
        this.#fail("a control character stands in a text; write it as \\u00…", at);
      }
    }
  }

  #number() {
    const begin = this.#at;
    NUMBER.lastIndex = begin;
    const found = NUMBER.exec(this.#text);
    const word = this.#peek();
    if (!found || found[0].length !== word.length) this.#fail(`${word.slice(0, SHOWN)} is not a number of JSON`);
    if (!found[1] && !found[2] && word.length > DIGITS) this.#fail(`this number has ${word.length} digits; at most ${DIGITS - 1} are taken`);
    if (!Number.isFinite(Number(word))) this.#fail("this number is too large");
    this.#at = NUMBER.lastIndex;
  }

  #word() {
    const word = this.#peek();
    if (!["true", "false", "null"].includes(word)) this.#fail(`a value is missing before ${this.#seen()}`);
    this.#at += word.length;
  }

  #peek() {
    WORD.lastIndex = this.#at;
    return WORD.exec(this.#text)?.[0] ?? "";
  }

  #space() {
    SPACE.lastIndex = this.#at;
    SPACE.test(this.#text);
    this.#at = SPACE.lastIndex;
  }

  /** What stands at the present place, for people. */
  #seen() {
    if (this.#at >= this.#text.length) return "the end of the text";
    const word = this.#peek() || String.fromCodePoint(this.#text.codePointAt(this.#at));
    return word.length > SHOWN ? `${word.slice(0, SHOWN)}…` : word;
  }

  #fail(message, at = this.#at) {
    throw new NotJson(message, at);
  }
}
