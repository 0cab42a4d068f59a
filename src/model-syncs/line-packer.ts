import { ByteWriter } from '../lib/byte-writer.ts';
import { behindTab, decodeRow, encodeCopyText } from '../lib/copy-text.ts';
import { nullMark, pack, separator } from '../lib/packed-record.ts';

const [tab, newline, backslash, capitalN] = [0x09, 0x0a, 0x5c, 0x4e];

/** Bytes of records. Each such piece is a COPY of its own. */
const pieceLength = 512 * 1024;

/** Lines of COPY text, and how many they are. */
export interface PackedLines {
  count: number;
  /** n, key, hash and the packed record. */
  records: Buffer;
  /** n, key and hash. */
  keys: Buffer;
}

/**
 * Lines of COPY text with key, hash and values → lines of a plan. Works on bytes: what the values are is not looked at.
 */
export class LinePacker {
  #count = 0;

  /** @param chunks of whole lines, which come in the pieces that a server happens to send. */
  async *packed(chunks: AsyncIterable<Buffer>): AsyncGenerator<PackedLines> {
    let [records, keys] = newPiece();
    let before = 0;
    for await (const lines of chunks) {
      this.#pack(lines, records, keys);
      if (records.at < pieceLength) continue;
      yield { count: this.#count - before, records: records.written(), keys: keys.written() };
      [records, keys] = newPiece();
      before = this.#count;
    }
    if (records.at > 0) {
      yield { count: this.#count - before, records: records.written(), keys: keys.written() };
    }
  }

  #pack(lines: Buffer, records: ByteWriter, keys: ByteWriter): void {
    for (let start = 0; start < lines.length; ) {
      const end = lines.indexOf(newline, start);
      const from = records.at;
      records.digits(++this.#count);
      records.byte(tab);
      if (!packLine(records, lines, start, end)) packText(records, lines.toString('utf8', start, end));
      let behindHash = behindTab(records.bytes, from);
      behindHash = behindTab(records.bytes, behindHash);
      behindHash = behindTab(records.bytes, behindHash);
      keys.copy(records.bytes, from, behindHash - 1);
      keys.byte(newline);
      start = end + 1;
    }
  }
}

function newPiece(): [records: ByteWriter, keys: ByteWriter] {
  return [new ByteWriter(pieceLength + 128 * 1024), new ByteWriter(pieceLength >> 1)];
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
