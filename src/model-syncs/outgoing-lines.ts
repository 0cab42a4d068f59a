import { setImmediate } from 'node:timers/promises';
import type { ByteWriter } from '../lib/byte-writer.ts';
import { behindTab, encodeCopyText, escaped } from '../lib/copy-text.ts';
import { nullMark, separator } from '../lib/packed-record.ts';
import { jsonMark, PackedLine } from './packed-line.ts';
import type { PlannedBatch } from './planned-batch.ts';
import { type Task, valueAt } from './task.ts';

const [tab, newline, backslash, capitalN] = [0x09, 0x0a, 0x5c, 0x4e];
const nullText = Buffer.from('\\N');

/** What takes less than a millisecond. */
const linesAtATime = 1_000;

/**
 * As `outgoing`, for writers that take lines: place in the batch, key and values, moved as bytes. In steps: meanwhile
 * another batch is on its way to the destination.
 *
 * @param out is written anew: large pieces of memory cost more than what is done with them.
 */
export async function outgoingLines(
  { places }: Pick<Task, 'places'>,
  batch: PlannedBatch,
  out: ByteWriter,
): Promise<Buffer> {
  const { lines } = batch;
  out.clear();
  // A NULL is one byte longer here.
  out.reserve(lines.length + 2 * batch.length * places.length);
  const line = new PackedLine();
  const fields = places.map((place) => (typeof place === 'string' ? Buffer.from(escaped(place)) : place));
  const isInOrder = places.every((place, index) => place === index);
  const add = (index: number) => {
    out.digits(index);
    out.byte(tab);
    if (isInOrder && copyAll(out, batch, index, places.length)) return;
    if (!line.read(batch, index)) {
      const { key, values } = batch.record(index);
      out.text(encodeCopyText([[key, ...places.map((place) => valueAt(values, place))]]));
      return;
    }
    out.copy(lines, line.keyStart, line.keyEnd);
    for (const field of fields) {
      out.byte(tab);
      if (typeof field !== 'number') out.copy(field);
      else if (line.isNull(lines, field)) out.copy(nullText);
      else out.copy(lines, line.starts[field], line.ends[field]);
    }
    out.byte(newline);
  };
  for (let index = 0; index < batch.length; ) {
    await setImmediate();
    const end = Math.min(index + linesAtATime, batch.length);
    while (index < end) add(index++);
  }
  return out.written();
}

/**
 * Key and values as they come, without a look for where each begins.
 *
 * @returns false, and nothing is written, where the values are not as many or not packed as they are.
 */
function copyAll(out: ByteWriter, batch: PlannedBatch, index: number, count: number): boolean {
  const { lines } = batch;
  const end = batch.start(index + 1) - 1;
  let from = behindTab(lines, batch.start(index));
  const values = behindTab(lines, behindTab(lines, from));
  if (lines[values] === jsonMark) return false;
  out.reserve(end - from + count + 1);
  const { bytes } = out;
  let { at } = out;
  for (let byte = lines[from] ?? tab; byte !== tab; byte = lines[++from] ?? tab) bytes[at++] = byte;
  bytes[at++] = tab;
  let found = 1;
  for (from = values; from < end; from++) {
    const byte = lines[from] ?? 0;
    if (byte === separator) {
      found++;
      bytes[at++] = tab;
    } else if (byte === nullMark) {
      bytes[at++] = backslash;
      bytes[at++] = capitalN;
    } else {
      bytes[at++] = byte;
    }
  }
  if (found !== count) return false;
  bytes[at++] = newline;
  out.at = at;
  return true;
}
