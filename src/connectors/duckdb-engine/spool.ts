import { open, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pieces } from '../../lib/pieces.ts';
import type { RowStream } from '../contract.ts';

/** Lines of COPY text. */
export type Lines = Readable & Pick<RowStream, 'recycle'>;
/** Lines of COPY text in a file, as `loadRows` and `loadPart` take them. */
export interface Part {
  /** Begins with `partHeader`. */
  path: string;
  rows: number;
  /** Bytes of the longest line, with its end. */
  longest: number;
  /** Bytes of the file. */
  bytes: number;
}

/** Bytes of one part: at most two are on the disk at a time. */
const partLength = 64 * 1024 * 1024;
/** A line of more bytes begins a part: DuckDB has to hold a long line and what it reads with it at once. */
const longLine = 4 * 1024 * 1024;
const newline = 0x0a;
/** Parts so far, of all streams: several may go to one folder. */
let parts = 0;

/** Skipped by who reads a part. Without it a byte order mark that the first value begins with would be lost. */
export const partHeader = 'part\n';

/**
 * Counts the lines of a file and keeps the length of the longest. What DuckDB says it has read is compared with the
 * one, and told the other: it drops or refuses a line that its buffer does not hold.
 */
export class LineMeasure {
  rows = 0;
  longest = 0;
  /** Bytes of the line under way. */
  open = 0;

  push(chunk: Uint8Array): void {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      const length = this.open + end + 1 - start;
      if (length > this.longest) this.longest = length;
      this.rows++;
      this.open = 0;
      start = end + 1;
    }
    this.open += chunk.length - start;
  }
}

/**
 * Writes a stream of lines to files of whole lines, one after the other. The next one is written as soon as it is
 * asked for; who is done with a file removes it.
 *
 * @param pad puts an empty field behind each line: a line that is empty would not be read back.
 */
export async function* spool(rows: Lines, folder: string, pad: boolean): AsyncGenerator<Part> {
  let file: OpenPart | undefined;
  /** The beginning of a line, until it is known to be a long one or has ended. */
  let tail: Buffer[] = [];
  let tailLength = 0;
  try {
    for await (const chunk of pieces(rows)) {
      const bytes = pad ? padded(chunk) : chunk;
      const end = bytes.lastIndexOf(newline) + 1;
      if (end > 0) {
        file ??= await OpenPart.in(folder);
        for (const piece of tail) await file.write(piece);
        await file.write(bytes.subarray(0, end));
        tail = [];
        tailLength = 0;
        if (file.bytes >= partLength) {
          yield await file.close();
          file = undefined;
        }
      }
      if (end < bytes.length) {
        // Its memory may be used again.
        tail.push(Buffer.from(bytes.subarray(end)));
        tailLength += bytes.length - end;
      }
      if (tailLength > longLine) {
        if (file !== undefined && !file.isWithinLine) {
          yield await file.close();
          file = undefined;
        }
        file ??= await OpenPart.in(folder);
        for (const piece of tail) await file.write(piece);
        tail = [];
        tailLength = 0;
      }
      rows.recycle?.(chunk);
    }
    if (tailLength > 0) {
      file ??= await OpenPart.in(folder);
      for (const piece of tail) await file.write(piece);
    }
    if (file !== undefined) {
      const last = await file.close();
      file = undefined;
      yield last;
    }
  } finally {
    await file?.remove();
  }
}

class OpenPart {
  bytes = 0;
  readonly #path: string;
  readonly #handle: Awaited<ReturnType<typeof open>>;
  readonly #measure = new LineMeasure();

  private constructor(path: string, handle: Awaited<ReturnType<typeof open>>) {
    this.#path = path;
    this.#handle = handle;
  }

  static async in(folder: string): Promise<OpenPart> {
    const file = path.join(folder, `part-${++parts}`);
    const part = new OpenPart(file, await open(file, 'w', 0o600));
    await part.#handle.writeFile(partHeader);
    part.bytes = partHeader.length;
    return part;
  }

  get isWithinLine(): boolean {
    return this.#measure.open > 0;
  }

  async write(bytes: Buffer): Promise<void> {
    await this.#handle.writeFile(bytes);
    this.#measure.push(bytes);
    this.bytes += bytes.length;
  }

  async close(): Promise<Part> {
    await this.#handle.close();
    const { rows, longest, open } = this.#measure;
    // A last line without its end is read as a row, too.
    return {
      path: this.#path,
      rows: rows + (open > 0 ? 1 : 0),
      longest: Math.max(longest, open),
      bytes: this.bytes,
    };
  }

  async remove(): Promise<void> {
    await this.#handle.close();
    await rm(this.#path, { force: true });
  }
}

function padded(chunk: Buffer): Buffer {
  return Buffer.from(chunk.toString('latin1').replaceAll('\n', '\t\n'), 'latin1');
}
