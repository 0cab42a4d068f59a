import type { ModelWriter } from '../connectors/index.ts';
import { ByteWriter } from '../lib/byte-writer.ts';
import { behindTab } from '../lib/copy-text.ts';
import { writeInt64 } from '../lib/int64.ts';
import { entryMembers, namedMembers } from './members.ts';
import { ObjectWriter } from './object-writer.ts';
import type { PlannedBatch } from './planned-batch.ts';
import type { Task } from './task.ts';

/** As `outgoing`, for writers that want JSON objects: they are written where they are sent. */
export function bodyMaker(
  task: Task,
  { names, write }: Required<ModelWriter>['objects'],
): (batch: PlannedBatch) => Buffer {
  const members = namedMembers(task, names);
  const isEntry = JSON.stringify(members) === JSON.stringify(entryMembers(task));
  const writer = new ObjectWriter(members);
  const out = new ByteWriter(0);
  return (batch) => {
    const starts: number[] = [];
    const ends: number[] = [];
    const object = (index: number) => {
      starts.push(out.at);
      writer.write(batch, index, out);
      ends.push(out.at);
    };
    out.clear();
    write({ length: batch.length, write: object, hashes: hashesOf(batch) }, out);
    // Of its own: an endpoint may answer before it has read all, and its logs are written later still.
    const bytes = Buffer.from(out.written());
    if (isEntry) batch.sent = [{ bytes, starts, ends }];
    return bytes;
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
