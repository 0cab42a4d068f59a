import { ByteWriter } from '../lib/byte-writer.ts';
import { countLines } from '../lib/whole-lines.ts';

/**
 * A plan keeps its records as pieces: rows with the number of their first record, how many there are, and their lines.
 * As rows of their own they took several times as long to write and to read. Pieces travel as COPY BINARY, in which bytes
 * need no escapes.
 */
const newline = 0x0a;

/** What fits into a page beside the rest of the row. A single record may be longer. */
const pieceLength = 8_000;

const header = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const trailer = Buffer.from([0xff, 0xff]);
/** Bytes of a row before its lines: how many fields, `first`, `records`, and the length of the lines. */
const beforeLines = 2 + (4 + 8) + (4 + 4) + 4;

/** @param lines of a plan, whole ones. @returns what COPY BINARY reads. */
export function encodePieces(lines: Buffer): Buffer {
  const out = new ByteWriter(header.length + lines.length + (lines.length >> 5) + 1024);
  out.copy(header);
  for (let start = 0; start < lines.length; ) {
    const last = lines.lastIndexOf(newline, start + pieceLength - 1);
    const end = 1 + (last < start ? lines.indexOf(newline, start) : last);
    writePiece(out, lines.subarray(start, end));
    start = end;
  }
  out.copy(trailer);
  return out.written();
}

function writePiece(out: ByteWriter, lines: Buffer): void {
  out.reserve(beforeLines + lines.length);
  const { bytes } = out;
  let at = bytes.writeInt16BE(3, out.at);
  at = bytes.writeInt32BE(8, at);
  at = bytes.writeBigInt64BE(BigInt(firstOf(lines)), at);
  at = bytes.writeInt32BE(4, at);
  at = bytes.writeInt32BE(countLines(lines), at);
  out.at = bytes.writeInt32BE(lines.length, at);
  out.copy(lines);
}

/** The n of the first line. */
function firstOf(lines: Buffer): number {
  return Number.parseInt(lines.toString('latin1', 0, Math.min(lines.length, 20)), 10);
}

/**
 * Takes lines out of COPY BINARY of one column, until there are enough.
 *
 * @param enough bytes; what comes after is not read. One row at least is.
 * @returns the lines of whole rows.
 */
export async function decodeLines(chunks: AsyncIterable<Buffer>, enough: number): Promise<Buffer[]> {
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
