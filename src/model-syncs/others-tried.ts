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
  writer: Pick<ModelWriter, 'outcome'>;
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

  constructor(trying: Trying) {
    this.#trying = trying;
  }

  /** @param after the last of the records that were refused, and how. */
  async isAnyTaken(after: PlannedBatch, refusal: BatchRefused): Promise<boolean> {
    const { db, run, plan } = this.#trying;
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
        if (taken === undefined) return send(prepared);
        const results = this.#taken.get(taken);
        if (records.length === 1 && results !== undefined) return results;
        throw new BatchRefused('a record of it was taken already', { place: records.placeOf(taken) });
      },
    };
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
