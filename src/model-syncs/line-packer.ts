import { decodeRow, encodeCopyText } from '../lib/copy-text.ts';
import { nullMark, pack, separator } from '../lib/packed-record.ts';

const [tab, newline, backslash, capitalN] = [0x09, 0x0a, 0x5c, 0x4e];
/** Digits of a number and the tab behind them. */
const numberLength = 17;

/**
 * Lines of COPY text with key, hash and values → lines for the table of a plan: n, key, hash and the packed record. Works
 * on bytes: what the values are is not looked at.
 */
export class LinePacker {
  /** Lines so far: the n of the last one. */
  count = 0;
  #out = Buffer.allocUnsafe(0);
  #at = 0;

  /** @param lines whole ones. */
  pack(lines: Buffer): Buffer {
    this.#out = Buffer.allocUnsafe(lines.length + 64 * 1024);
    this.#at = 0;
    for (let start = 0; start < lines.length; ) {
      const end = lines.indexOf(newline, start);
      this.#reserve(end - start + numberLength + 2);
      this.#writeNumber(++this.count);
      const begun = this.#at;
      if (!this.#packLine(lines, start, end)) {
        this.#at = begun;
        this.#packText(lines.toString('utf8', start, end));
      }
      start = end + 1;
    }
    return this.#out.subarray(0, this.#at);
  }

  /** @returns false when a value has bytes that a packed record uses itself, or an escape that is no single letter. */
  #packLine(lines: Buffer, start: number, end: number): boolean {
    const out = this.#out;
    let at = this.#at;
    let tabs = 0;
    for (let from = start; from < end; from++) {
      const byte = lines[from] ?? 0;
      if (byte === tab) {
        tabs++;
        out[at++] = tabs > 2 ? separator : tab;
      } else if (byte === backslash) {
        const letter = lines[++from] ?? 0;
        if (letter === capitalN && tabs > 1) {
          out[at++] = nullMark;
        } else if (letter < 0x3a || letter === 0x78) {
          return false;
        } else {
          out[at++] = backslash;
          out[at++] = letter;
        }
      } else if (((byte >= 0x1c && byte < 0x20) || byte === 0) && tabs > 1) {
        return false;
      } else {
        out[at++] = byte;
      }
    }
    if (tabs < 2) out[at++] = tab;
    out[at++] = newline;
    this.#at = at;
    return true;
  }

  #packText(line: string): void {
    const [key = null, hash = null, ...values] = decodeRow(line);
    const text = encodeCopyText([[key, hash, pack(values)]]);
    this.#reserve(Buffer.byteLength(text));
    this.#at += this.#out.write(text, this.#at);
  }

  #writeNumber(n: number): void {
    let length = 1;
    for (let rest = n; rest >= 10; rest = Math.floor(rest / 10)) length++;
    let rest = n;
    for (let at = this.#at + length - 1; at >= this.#at; at--) {
      this.#out[at] = 0x30 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    this.#at += length;
    this.#out[this.#at++] = tab;
  }

  /** Room for so many bytes more. */
  #reserve(length: number): void {
    if (this.#at + length <= this.#out.length) return;
    const larger = Buffer.allocUnsafe(2 * this.#out.length + length);
    this.#out.copy(larger, 0, 0, this.#at);
    this.#out = larger;
  }
}
