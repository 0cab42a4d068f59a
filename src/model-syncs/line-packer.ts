import { ByteWriter } from '../lib/byte-writer.ts';
import { decodeRow, encodeCopyText } from '../lib/copy-text.ts';
import { nullMark, pack, separator } from '../lib/packed-record.ts';

const [tab, newline, backslash, capitalN] = [0x09, 0x0a, 0x5c, 0x4e];

/** Bytes. */
const pieceLength = 128 * 1024;

/**
 * Lines of COPY text with key, hash and values → lines for the table of a plan: n, key, hash and the packed record. Works
 * on bytes: what the values are is not looked at.
 */
export class LinePacker {
  /** Lines so far: the n of the last one. */
  count = 0;

  /**
   * @param chunks of whole lines, which come in the pieces that a server happens to send.
   * @returns pieces that are worth a write to a socket.
   */
  async *packed(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let out = new ByteWriter(2 * pieceLength);
    for await (const lines of chunks) {
      this.#pack(lines, out);
      if (out.at < pieceLength) continue;
      yield out.written();
      out = new ByteWriter(2 * pieceLength);
    }
    if (out.at > 0) yield out.written();
  }

  #pack(lines: Buffer, out: ByteWriter): void {
    for (let start = 0; start < lines.length; ) {
      const end = lines.indexOf(newline, start);
      out.digits(++this.count);
      out.byte(tab);
      if (!packLine(out, lines, start, end)) packText(out, lines.toString('utf8', start, end));
      start = end + 1;
    }
  }
}

/**
 * @returns false, and nothing is written, when a value has bytes that a packed record uses itself, or an escape that is
 *   no single letter.
 */
function packLine(out: ByteWriter, lines: Buffer, start: number, end: number): boolean {
  out.reserve(end - start + 2);
  const { bytes } = out;
  let { at } = out;
  let tabs = 0;
  for (let from = start; from < end; from++) {
    const byte = lines[from] ?? 0;
    if (byte > 0x1f && byte !== backslash) {
      bytes[at++] = byte;
    } else if (byte === tab) {
      tabs++;
      bytes[at++] = tabs > 2 ? separator : tab;
    } else if (byte === backslash) {
      const letter = lines[++from] ?? 0;
      if (letter === capitalN && tabs > 1) {
        bytes[at++] = nullMark;
      } else if (letter < 0x3a || letter === 0x78) {
        return false;
      } else {
        bytes[at++] = backslash;
        bytes[at++] = letter;
      }
    } else if ((byte >= 0x1c || byte === 0) && tabs > 1) {
      return false;
    } else {
      bytes[at++] = byte;
    }
  }
  if (tabs < 2) bytes[at++] = tab;
  bytes[at++] = newline;
  out.at = at;
  return true;
}

function packText(out: ByteWriter, line: string): void {
  const [key = null, hash = null, ...values] = decodeRow(line);
  out.text(encodeCopyText([[key, hash, pack(values)]]));
}
