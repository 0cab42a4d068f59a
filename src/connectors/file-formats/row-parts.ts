import { appendFile, open } from 'node:fs/promises';
import { TidemarkError } from '../../errors.ts';
import { unescaped } from '../../lib/copy-text.ts';
import { LineMeasure } from '../duckdb-engine/index.ts';

/** Rows in a file of COPY text on this machine. */
export interface RowPart {
  path: string;
  rows: number;
  bytes: number;
  /** Bytes of the longest row. */
  longest: number;
  /** The value that they share, null for NULL; undefined where they are not laid out by one. */
  partition?: string | null;
}

/** Bytes of COPY text in one part, and in all parts that are open at a time. */
const partSize = 128 * 1024 * 1024;
const openSize = 512 * 1024 * 1024;
/** Bytes gathered in memory before they are written. */
const gathered = 64 * 1024 * 1024;
/** Partitions of one load: more of them would be files of a few rows. */
const mostPartitions = 10_000;

/** What rows are laid out by. */
export interface Layout {
  /** Position of the column. */
  at: number;
  name: string;
}

/**
 * Cuts rows into parts of bounded size, in their order. A piece of rows is written before the next one is asked for.
 *
 * @param start what each file begins with.
 */
export async function* cutInOrder(
  rows: AsyncIterable<Buffer>,
  file: () => string,
  size = partSize,
  start = '',
): AsyncGenerator<RowPart> {
  const begin = async () => {
    const path = file();
    const handle = await open(path, 'w', 0o600);
    await handle.writeFile(start);
    return { path, handle, lines: new LineMeasure(), bytes: start.length };
  };
  let part: Awaited<ReturnType<typeof begin>> | undefined;
  try {
    for await (const chunk of rows) {
      part ??= await begin();
      await part.handle.writeFile(chunk);
      part.lines.push(chunk);
      part.bytes += chunk.length;
      if (part.bytes < size) continue;
      const done = part;
      part = undefined;
      await done.handle.close();
      yield rowPart(done);
    }
  } finally {
    await part?.handle.close();
  }
  if (part !== undefined) yield rowPart(part);
}

function rowPart({
  path,
  bytes,
  lines: { rows, longest },
}: {
  path: string;
  bytes: number;
  lines: LineMeasure;
}) {
  return { path, rows, bytes, longest };
}

/**
 * Cuts rows into parts of bounded size, those together that share a value of the layout's column.
 *
 * @param rows in pieces that end with a row. @param file gives a path that nothing has yet.
 */
export async function* cutRows(
  rows: AsyncIterable<Buffer>,
  layout: Layout,
  file: () => string,
  size = partSize,
): AsyncGenerator<RowPart> {
  const parts = new Map<string, OpenPart>();
  const seen = new Set<string>();
  let pending = 0;
  for await (const chunk of rows) {
    for (const [value, lines] of rowsByValue(chunk, layout.at)) {
      seen.add(value);
      if (seen.size > mostPartitions) throw tooMany(layout.name);
      const shared = value === '\\N' ? null : unescaped(value);
      const part = parts.get(value) ?? new OpenPart(file(), shared);
      parts.set(value, part);
      for (const line of lines) part.append(line);
      if (part.bytes < size) continue;
      parts.delete(value);
      yield await part.close();
    }
    pending += chunk.length;
    if (pending < gathered) continue;
    for (const part of parts.values()) await part.flush();
    pending = 0;
    for (const [value, part] of largestBeyond(parts)) {
      parts.delete(value);
      yield await part.close();
    }
  }
  for (const part of parts.values()) yield await part.close();
}

/** The largest parts, as many as have to be finished for the others to have room. */
function largestBeyond(parts: Map<string, OpenPart>): [string, OpenPart][] {
  let total = parts.values().reduce((sum, { bytes }) => sum + bytes, 0);
  const sorted = total > openSize ? [...parts].sort(([, one], [, other]) => other.bytes - one.bytes) : [];
  return sorted.filter(([, { bytes }]) => {
    const needed = total > openSize / 2;
    total -= bytes;
    return needed;
  });
}

/** The rows of a chunk by the text of one column, as it is written. */
function rowsByValue(chunk: Buffer, column: number): Map<string, Buffer[]> {
  const found = new Map<string, Buffer[]>();
  for (let start = 0; start < chunk.length; ) {
    const end = chunk.indexOf(0x0a, start);
    let from = start;
    for (let at = 0; at < column; at++) from = chunk.indexOf(0x09, from) + 1;
    const tab = chunk.indexOf(0x09, from);
    const value = chunk.toString('utf8', from, tab < 0 || tab > end ? end : tab);
    const lines = found.get(value);
    const line = chunk.subarray(start, end + 1);
    if (lines === undefined) found.set(value, [line]);
    else lines.push(line);
    start = end + 1;
  }
  return found;
}

class OpenPart {
  bytes = 0;
  readonly #lines = new LineMeasure();
  readonly #path: string;
  readonly #partition: string | null;
  #pending: Buffer[] = [];

  constructor(path: string, partition: string | null) {
    this.#path = path;
    this.#partition = partition;
  }

  append(lines: Buffer): void {
    this.#lines.push(lines);
    this.bytes += lines.length;
    this.#pending.push(lines);
  }

  /** Opens and closes the file: there may be more parts than a process may have files open. */
  async flush(): Promise<void> {
    const pending = Buffer.concat(this.#pending);
    this.#pending = [];
    await appendFile(this.#path, pending, { mode: 0o600 });
  }

  async close(): Promise<RowPart> {
    await this.flush();
    const { rows, longest } = this.#lines;
    return { path: this.#path, rows, longest, bytes: this.bytes, partition: this.#partition };
  }
}

function tooMany(name: string): TidemarkError {
  const reason = `partition_key: ${name} has more than ${mostPartitions} values; choose a field with fewer, such as a day`;
  return new TidemarkError('unprocessable', { reason });
}
