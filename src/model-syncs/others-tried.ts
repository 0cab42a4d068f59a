import { BatchRefused, type ModelWriter, type RecordResult } from '../connectors/index.ts';
import type { Database } from '../db/index.ts';
import type { Run } from '../executions/index.ts';
import type { PlannedBatch } from './planned-batch.ts';
import { sampleAfter } from './planned-records.ts';
import { NotPassing } from './suspects.ts';
import type { Outgoing, Prepare } from './write-batch.ts';

/** Records that are tried: of answers that come at once, and of failures that are waited for. */
const tried = { answer: 20, failure: 4 };

interface Trying {
  db: Database;
  run: Run;
  plan: number;
  writer: Pick<ModelWriter, 'outcome' | 'atATime'>;
  prepare: Prepare;
}

/**
 * Tells a destination that refuses everything from one that refuses the records that happen to come first: tries some of
 * those that come later, each by itself. Where the destination can take a batch back nothing of it is kept. Else it has
 * been taken, and is not sent again when its turn comes.
 */
export class OthersTried {
  readonly #trying: Trying;
  readonly #taken = new Map<number, RecordResult[]>();
  /** The newest batches that were sent, as many as may be on their way at a time. */
  readonly #begun: { first: number; last: number; answer: Promise<RecordResult[]> }[] = [];

  constructor(trying: Trying) {
    this.#trying = trying;
  }

  /** @param after the last of the records that were refused, and how. */
  async isAnyTaken(after: PlannedBatch, refusal: BatchRefused): Promise<boolean> {
    const { db, run, plan } = this.#trying;
    // What is on its way tells as much, and of what has been taken nothing is sent twice.
    const ahead = this.#begun.filter(({ first }) => first > after.last).map(({ answer }) => answer);
    if ((await Promise.allSettled(ahead)).some(({ status }) => status === 'fulfilled')) return true;
    const count = refusal instanceof NotPassing ? tried.failure : tried.answer;
    let again: PlannedBatch | undefined;
    for await (const record of sampleAfter(db, plan, after.last, count)) {
      run.signal.throwIfAborted();
      if (this.#taken.has(record.first)) again = record;
      else if (await this.#isTaken(record, refusal)) return true;
    }
    // It has the same hash: who took it once knows it.
    return again !== undefined && (await this.#isTaken(again, refusal));
  }

  /** The batch without what was taken already: it is refused where that is in it, so that it is split around it. */
  unlessTaken(batch: Outgoing): Outgoing {
    const { records, send } = batch;
    return {
      records,
      send: async (prepared) => {
        const taken = [...this.#taken.keys()].find((n) => n >= records.first && n <= records.last);
        if (taken === undefined) return this.#noted(records, send(prepared));
        const results = this.#taken.get(taken);
        if (records.length === 1 && results !== undefined) return results;
        throw new BatchRefused('a record of it was taken already', { place: records.placeOf(taken) });
      },
    };
  }

  #noted({ first, last }: PlannedBatch, answer: Promise<RecordResult[]>): Promise<RecordResult[]> {
    // Else it is sent in its turn, or a part of what was sent before.
    const { atATime = 1 } = this.#trying.writer;
    if (atATime > 1 && first > (this.#begun.at(-1)?.last ?? 0)) {
      this.#begun.push({ first, last, answer });
      if (this.#begun.length > atATime) this.#begun.shift();
    }
    return answer;
  }

  async #isTaken(record: PlannedBatch, refusal: BatchRefused): Promise<boolean> {
    const { prepare, writer } = this.#trying;
    const applied = new Error('a record that is only tried is not kept');
    try {
      const { send } = await prepare(record);
      const results = await send(async () => {
        throw applied;
      });
      if (writer.outcome === undefined) this.#taken.set(record.first, results);
      return true;
    } catch (error) {
      // One that refuses another record for another reason looks at what is in it.
      return error === applied || (error instanceof BatchRefused && error.kind !== refusal.kind);
    }
  }
}
