import type { RecordObjects } from '../connectors/index.ts';
import { ByteWriter } from '../lib/byte-writer.ts';
import { behindTab } from '../lib/copy-text.ts';
import { writeInt64 } from '../lib/int64.ts';
import { entryMembers, namedMembers } from './members.ts';
import { between, ObjectWriter } from './object-writer.ts';
import type { PlannedBatch } from './planned-batch.ts';
import type { Task } from './task.ts';

/** As `outgoing`, for writers that want JSON objects: in the same memory for every batch. @param names that they want. */
export function recordObjects(task: Task, names: readonly string[]): (batch: PlannedBatch) => RecordObjects {
  const members = namedMembers(task, names);
  const isEntry = JSON.stringify(members) === JSON.stringify(entryMembers(task));
  const writer = new ObjectWriter(members);
  const out = new ByteWriter(0);
  return (batch) => {
    const { bytes, ends } = writer.write(batch, batch.ends.keys(), out);
    // They are needed again when they have arrived; the memory is, before that.
    if (isEntry) batch.entries = { bytes: Buffer.from(bytes), ends };
    const starts = ends.map((_, index) => (ends[index - 1] ?? 0) + between.length);
    return { bytes, starts, ends, hashes: hashesOf(batch) };
  };
}

function hashesOf(batch: PlannedBatch): Buffer {
  const { lines } = batch;
  const hashes = Buffer.allocUnsafe(8 * batch.length);
  for (let index = 0; index < batch.length; index++) {
    const hash = behindTab(lines, behindTab(lines, batch.start(index)));
    writeInt64(hashes, 8 * index, lines, hash, behindTab(lines, hash) - 1);
  }
  return hashes;
}
