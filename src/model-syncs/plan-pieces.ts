import { ByteWriter } from '../lib/byte-writer.ts';

/**
 * A plan keeps its records as pieces: rows with the number of their first record, how many there are, and their lines,
 * COPY text with n, key, hash and values. As rows of their own they took several times as long to write and to read.
 * Pieces travel as COPY BINARY, in which bytes need no escapes.
 */
const [tab, newline] = [0x09, 0x0a];

/** What fits into a page beside the rest of the row. A single record may be longer. */
const pieceLength = 8_000;

const header = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const trailer = Buffer.from([0xff, 0xff]);
/** Bytes of a row before its lines: how many fields, `first`, `records`, and the length of the lines. */
const beforeLines = 2 + (4 + 8) + (4 + 4) + 4;

/** Makes pieces of lines, numbered from 1. */
export class PieceWriter {
  /** Lines so far: the n of the last one. */
  count = 0;
  /** Where the last line begins, in `bytes`. */
  lineStart = 0;
  readonly #length: number;
  #out: ByteWriter;
  #pieceStart = 0;
  #first = 1;

  /** @param length bytes that are written at a time, about. */
  constructor(length: number) {
    this.#length = length;
    this.#out = this.#begin();
  }

  get isFull(): boolean {
    return this.#out.at >= this.#length;
  }

  get bytes(): Buffer {
    return this.#out.bytes;
  }

  /** A line with key, hash and values, from `start` to before `end`. */
  add(lines: Buffer, start: number, end: number): void {
    const out = this.#out;
    if (this.#pieceStart > 0 && out.at - this.#pieceStart + end - start > pieceLength) this.#close();
    if (this.#pieceStart === 0) {
      this.#pieceStart = out.at;
      this.#first = this.count + 1;
      out.reserve(beforeLines);
      out.at += beforeLines;
    }
    this.lineStart = out.at;
    out.digits(++this.count);
    out.byte(tab);
    out.copy(lines, start, end);
    out.byte(newline);
  }

  /** What COPY BINARY reads, of all lines since it was last taken. */
  take(): Buffer {
    if (this.#pieceStart > 0) this.#close();
    const out = this.#out;
    out.copy(trailer);
    this.#out = this.#begin();
    return out.written();
  }

  #begin(): ByteWriter {
    const out = new ByteWriter(this.#length + 64 * 1024);
    out.copy(header);
    return out;
  }

  #close(): void {
    const { bytes, at: end } = this.#out;
    let at = bytes.writeInt16BE(3, this.#pieceStart);
    at = bytes.writeInt32BE(8, at);
    at = bytes.writeBigInt64BE(BigInt(this.#first), at);
    at = bytes.writeInt32BE(4, at);
    at = bytes.writeInt32BE(this.count + 1 - this.#first, at);
    at = bytes.writeInt32BE(end - at - 4, at);
    this.#pieceStart = 0;
  }
}

/**
 * Takes lines out of COPY BINARY of one column, until there are enough.
 *
 * @param enough bytes; what comes after is not read. One row at least is.
 * @returns the lines of whole rows.
 */
export async function decodePieces(chunks: AsyncIterable<Buffer>, enough: number): Promise<Buffer[]> {
  const read: Buffer[] = [];
  let bytes = 0;
  // What has to be there before it is worth a look.
  let wanted = enough;
  for await (const chunk of chunks) {
    read.push(chunk);
    bytes += chunk.length;
    if (bytes < wanted) continue;
    const all = Buffer.concat(read);
    const rows = rowsOf(all);
    if (rows.length > 0) return rows;
    // One row, longer than all that.
    wanted = header.length + 6 + all.readInt32BE(header.length + 2);
  }
  return rowsOf(Buffer.concat(read));
}

/** Whole rows of one column. */
function rowsOf(bytes: Buffer): Buffer[] {
  const rows: Buffer[] = [];
  for (let at = header.length; at + 6 <= bytes.length; ) {
    const start = at + 6;
    at = start + bytes.readInt32BE(at + 2);
    if (at <= bytes.length) rows.push(bytes.subarray(start, at));
  }
  return rows;
}
