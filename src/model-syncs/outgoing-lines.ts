import type { ByteWriter } from '../lib/byte-writer.ts';
import { encodeCopyText, escaped } from '../lib/copy-text.ts';
import { PackedLine } from './packed-line.ts';
import type { PlannedBatch } from './planned-batch.ts';
import { type Task, valueAt } from './task.ts';

const tab = 0x09;
const newline = 0x0a;
const nullText = Buffer.from('\\N');

/**
 * As `outgoing`, for writers that take lines: place in the batch, key and values, moved as bytes.
 *
 * @param out is written anew: large pieces of memory cost more than what is done with them.
 */
export function outgoingLines(
  { places }: Pick<Task, 'places'>,
  batch: PlannedBatch,
  out: ByteWriter,
): Buffer {
  const { lines } = batch;
  out.clear();
  out.reserve(lines.length + 2 * batch.length * places.length);
  const line = new PackedLine();
  const fields = places.map((place) => (typeof place === 'string' ? Buffer.from(escaped(place)) : place));
  for (let index = 0; index < batch.length; index++) {
    out.digits(index);
    out.byte(tab);
    if (!line.read(batch, index)) {
      const { key, values } = batch.record(index);
      out.text(encodeCopyText([[key, ...places.map((place) => valueAt(values, place))]]));
      continue;
    }
    out.copy(lines, line.keyStart, line.keyEnd);
    for (const field of fields) {
      out.byte(tab);
      if (typeof field !== 'number') out.copy(field);
      else if (line.isNull(lines, field)) out.copy(nullText);
      else out.copy(lines, line.starts[field], line.ends[field]);
    }
    out.byte(newline);
  }
  return out.written();
}
