import {
  BatchRefused,
  Busy,
  type ModelWriter,
  type Prepared,
  type RecordResult,
  Unreachable,
} from '../connectors/index.ts';
import { messageOf, TidemarkError } from '../errors.ts';
import type { Run } from '../executions/index.ts';
import { ByteWriter } from '../lib/byte-writer.ts';
import { bodyMaker } from './body-maker.ts';
import { clearIntent, storeIntent, wasCommitted } from './intents.ts';
import { outgoingLines } from './outgoing-lines.ts';
import { persist } from './persist.ts';
import type { PlannedBatch } from './planned-batch.ts';
import { packStretch } from './stretches.ts';
import { NotPassing } from './suspects.ts';
import { SyncFailed } from './sync-failed.ts';
import { outgoing, type Task } from './task.ts';

/**
 * Writes a stretch of a plan, again after failures that may pass.
 *
 * A try that broke off after the destination had applied it may have been committed: before the next try the
 * destination is asked, and as long as it cannot be asked nothing is sent.
 *
 * @param earlier waits until what was sent before is written down.
 * @throws BatchRefused as the writer does; NotPassing when the destination saw it and fails again and again; SyncFailed when
 *   it stays out of reach or busy.
 */
export async function writeBatch(
  run: Run,
  writer: ModelWriter,
  { records: batch, send }: Outgoing,
  delays: readonly number[],
  earlier: () => Promise<void>,
): Promise<RecordResult[]> {
  let applied: { token: string; results: RecordResult[] } | undefined;
  let ourFailure: unknown;

  const prepared = async (token: string, results: RecordResult[]) => {
    const { first, last } = batch;
    try {
      await earlier();
      // Through the claim: a worker that lost it must not commit at the destination.
      await run.commit({}, (tx) =>
        storeIntent(tx, run.execution.id, token, packStretch({ first, last, results })),
      );
    } catch (error) {
      ourFailure = error;
      throw error;
    }
    applied = { token, results };
  };

  const attempt = async (): Promise<RecordResult[]> => {
    if (applied !== undefined) {
      if (await wasCommitted(writer, applied.token)) return applied.results;
      await run.commit({}, (tx) => clearIntent(tx, run.execution.id));
      applied = undefined;
    }
    return send(prepared);
  };

  const what = `A batch of ${batch.length} records could not be written`;
  const isFinal = (error: unknown) => error instanceof BatchRefused || ourFailure !== undefined;
  try {
    return await persist(run, delays, what, attempt, isFinal);
  } catch (error) {
    if (ourFailure !== undefined) throw ourFailure;
    const { cause } = error instanceof SyncFailed ? error : {};
    const isSeen = !(cause instanceof TidemarkError || cause instanceof Busy || cause instanceof Unreachable);
    // What is in the way of one record, or fails over it, is not to be in the way of the others.
    if (cause !== undefined && isSeen && applied === undefined) {
      throw new NotPassing(messageOf(cause), { cause, unsure: true });
    }
    throw error;
  }
}

/** A stretch of a plan, and what sends it: made once, however often it is tried. */
export interface Outgoing {
  records: PlannedBatch;
  send: (prepared: Prepared) => Promise<RecordResult[]>;
}

export type Prepare = (records: PlannedBatch) => Promise<Outgoing>;

/** Makes what is sent, one batch while another is on its way: the memory of those that have arrived is used again. */
export function outgoingBatches(writer: ModelWriter, task: Task): Prepare {
  const { writeLines, objects } = writer;
  if (objects !== undefined) {
    const bodyOf = bodyMaker(task, objects);
    return async (records) => {
      const body = bodyOf(records);
      return { records, send: () => objects.send(body, records.length) };
    };
  }
  if (writeLines === undefined) {
    return async (batch) => {
      const records = outgoing(task, batch.records);
      return { records: batch, send: (prepared) => writer.write(records, prepared) };
    };
  }
  const free: ByteWriter[] = [];
  return async (records) => {
    const out = free.pop() ?? new ByteWriter(0);
    const lines = await outgoingLines(task, records, out);
    const send = async (prepared: Prepared) => {
      const results = await writeLines(lines, records.length, prepared);
      // Of one that failed, bytes may be on their way still.
      free.push(out);
      return results;
    };
    return { records, send };
  };
}
