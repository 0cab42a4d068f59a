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
  /** What was taken before, and is written by now. */
  #other: ByteWriter;
  #pieceStart = 0;
  #first = 1;

  /** @param length bytes that are written at a time, about. */
  constructor(length: number) {
    this.#length = length;
    [this.#out, this.#other] = [new ByteWriter(length + 64 * 1024), new ByteWriter(length + 64 * 1024)];
    this.#out.copy(header);
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

  /** What COPY BINARY reads, of all lines since it was last taken. Once more is taken its memory is used again. */
  take(): Buffer {
    if (this.#pieceStart > 0) this.#close();
    [this.#out, this.#other] = [this.#other, this.#out];
    this.#out.clear();
    this.#out.copy(header);
    this.#other.copy(trailer);
    return this.#other.written();
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

/** Before a row of one column: how many fields, and the length of the one. */
const beforeField = 2 + 4;

/**
 * Takes lines out of COPY BINARY of one column, until there are enough.
 *
 * @param enough bytes; no row after that is begun.
 * @returns their bytes, cut anywhere, and how many rows there were.
 */
export async function decodePieces(
  chunks: AsyncIterable<Buffer>,
  enough: number,
): Promise<{ parts: Buffer[]; pieces: number }> {
  const parts: Buffer[] = [];
  let pieces = 0;
  let bytes = 0;
  // Of what is not a field: the header of the copy, then that of a row.
  let between: Buffer = Buffer.alloc(0);
  let betweenLength = header.length + beforeField;
  /** Of the field. */
  let left = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      if (left === 0) {
        const end = at + betweenLength - between.length;
        between = Buffer.concat([between, chunk.subarray(at, end)]);
        at = end;
        if (between.length < betweenLength) continue;
        left = between.readInt32BE(betweenLength - 4);
        pieces++;
        between = Buffer.alloc(0);
        betweenLength = beforeField;
        continue;
      }
      const part = chunk.subarray(at, at + left);
      parts.push(part);
      at += part.length;
      left -= part.length;
      bytes += part.length;
      if (left === 0 && bytes >= enough) return { parts, pieces };
    }
  }
  return { parts, pieces };
}
