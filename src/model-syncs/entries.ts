import { setImmediate } from 'node:timers/promises';
import type { LogEntries } from '../executions/index.ts';
import { ByteWriter } from '../lib/byte-writer.ts';
import { entryMembers } from './members.ts';
import { ObjectWriter } from './object-writer.ts';
import type { PlannedBatch } from './planned-batch.ts';
import type { Task } from './task.ts';

/** What stands before every entry. */
const between = Buffer.from(',\n');

/** What takes about a millisecond. */
const entriesAtATime = 1_000;

/** Makes log entries in the same memory for every stretch: one is settled before the next begins. */
export class Entries {
  readonly #writer: ObjectWriter;
  readonly #memory = new Map<string, ByteWriter>();

  constructor(task: Task) {
    this.#writer = new ObjectWriter(entryMembers(task));
  }

  /** In steps: meanwhile the next batch is on its way to the destination. */
  async of(status: string, batch: PlannedBatch, places: readonly number[]): Promise<LogEntries> {
    const out = this.#memory.get(status) ?? new ByteWriter(batch.lines.length);
    this.#memory.set(status, out);
    out.clear();
    const ends: number[] = [];
    if (places.length === batch.length && copySent(batch, out, ends)) return { bytes: out.written(), ends };
    for (let start = 0; start < places.length; start += entriesAtATime) {
      await setImmediate();
      for (const place of places.slice(start, start + entriesAtATime)) {
        out.copy(between);
        this.#writer.write(batch, place, out);
        ends.push(out.at);
      }
    }
    return { bytes: out.written(), ends };
  }
}

/** @returns false, and nothing is written, where not all of the batch was sent as log entries are. */
function copySent({ sent, length }: PlannedBatch, out: ByteWriter, to: number[]): boolean {
  if (sent.reduce((sum, { ends }) => sum + ends.length, 0) !== length) return false;
  for (const { bytes, starts, ends } of sent) {
    for (const [index, end] of ends.entries()) {
      out.copy(between);
      out.copy(bytes, starts[index], end);
      to.push(out.at);
    }
  }
  return true;
}
