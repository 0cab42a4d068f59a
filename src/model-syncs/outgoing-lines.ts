import { setImmediate } from 'node:timers/promises';
import type { ByteWriter } from '../lib/byte-writer.ts';
import { behindField, behindTab, escaped } from '../lib/copy-text.ts';
import type { PlannedBatch } from './planned-batch.ts';
import { PlannedLine } from './planned-line.ts';
import type { Task } from './task.ts';

const [tab, newline] = [0x09, 0x0a];
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
  out.reserve(lines.length);
  const line = new PlannedLine();
  const fields = places.map((place) => (typeof place === 'string' ? Buffer.from(escaped(place)) : place));
  const isInOrder = places.every((place, index) => place === index) && places.length === countValues(batch);
  const add = (index: number) => {
    out.digits(index);
    out.byte(tab);
    if (isInOrder) {
      // Without a look for where each value begins.
      const key = behindTab(lines, batch.start(index));
      const hash = behindTab(lines, key);
      out.copy(lines, key, hash - 1);
      out.copy(lines, behindField(lines, hash), batch.start(index + 1));
      return;
    }
    line.read(batch, index);
    out.copy(lines, line.keyStart, line.keyEnd);
    for (const field of fields) {
      out.byte(tab);
      const start = typeof field === 'number' ? line.start(field) : undefined;
      if (typeof field !== 'number') out.copy(field);
      else if (start === undefined) out.copy(nullText);
      else out.copy(lines, start, behindField(lines, start));
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

/** How many values a record of the batch has: all have as many. */
function countValues(batch: PlannedBatch): number {
  return batch.length > 0 ? batch.record(0).values.length : 0;
}
