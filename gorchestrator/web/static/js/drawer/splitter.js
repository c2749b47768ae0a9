/* The bytes of a log as lines, each with the place where it begins. */

const LONGEST = 16_384; // bytes: a longer line is shown as several
const NEWLINE = 10;

export class Splitter {
  #rest = new Uint8Array(0); // of a line that has not ended yet
  #at = 0; // of the first byte of the rest
  #decoder = new TextDecoder();

  /** `offset`: of the byte that comes first. */
  constructor(offset) {
    this.#at = offset;
  }

  /** Begin anew with the byte at `offset`. */
  begin(offset) {
    this.#rest = new Uint8Array(0);
    this.#at = offset;
  }

  /** Take in the bytes that follow; returns the lines that have ended, `{at, text}`: offset of the first byte, and text. */
  take(bytes) {
    const all = join(this.#rest, bytes);
    const lines = [];
    let start = 0;
    for (let end = all.indexOf(NEWLINE); end >= 0; end = all.indexOf(NEWLINE, start)) {
      start = this.#pieces(all, start, end, lines);
      lines.push(this.#line(all, start, end));
      start = end + 1;
    }
    start = this.#pieces(all, start, all.length, lines);
    this.#rest = all.slice(start);
    this.#at += start;
    return lines;
  }

  /** The line that has not ended yet; null if there is none. */
  get open() {
    return this.#rest.length ? this.#line(this.#rest, 0, this.#rest.length) : null;
  }

  /** Cut what is too long of the line into pieces; returns where the last one begins. */
  #pieces(all, start, end, lines) {
    while (end - start > LONGEST) {
      let cut = start + LONGEST;
      while (cut > start + LONGEST - 4 && (all[cut] & 0xc0) === 0x80) cut -= 1; // not within a character
      lines.push(this.#line(all, start, cut));
      start = cut;
    }
    return start;
  }

  #line(all, start, end) {
    return { at: this.#at + start, text: shown(this.#decoder.decode(all.subarray(start, end))) };
  }
}

function join(first, second) {
  if (!first.length) return second;
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}

/** Return what a terminal would show in the end of a line that was written over, as progress bars do. */
function shown(line) {
  if (!line.includes("\r")) return line;
  return line.split("\r").findLast((part) => part !== "") ?? "";
}
