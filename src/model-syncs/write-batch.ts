import {
  BatchRefused,
  Contended,
  type ModelWriter,
  type Prepared,
  type RecordResult,
} from '../connectors/index.ts';
import type { Run } from '../executions/index.ts';
import type { ByteWriter } from '../lib/byte-writer.ts';
import { clearIntent, storeIntent, wasCommitted } from './intents.ts';
import { outgoingLines } from './outgoing-lines.ts';
import { persist } from './persist.ts';
import type { PlannedBatch } from './planned-batch.ts';
import { packStretch } from './stretches.ts';
import { SyncFailed } from './sync-failed.ts';
import { outgoing, type Task } from './task.ts';

/**
 * Writes a stretch of a plan, again after failures that may pass.
 *
 * A try that broke off after the destination had applied it may have been committed: before the next try the
 * destination is asked, and as long as it cannot be asked nothing is sent.
 *
 * @param earlier answers to what was sent before: there is room for one batch in doubt.
 * @param out memory for what is sent.
 * @throws BatchRefused as the writer does, and when contention did not pass; SyncFailed when it stays out of reach.
 */
export async function writeBatch(
  run: Run,
  writer: ModelWriter,
  task: Task,
  batch: PlannedBatch,
  delays: readonly number[],
  earlier: Promise<void>,
  out: ByteWriter,
): Promise<RecordResult[]> {
  const send = sender(writer, task, batch, out);
  let applied: { token: string; results: RecordResult[] } | undefined;
  let ourFailure: unknown;

  const prepared = async (token: string, results: RecordResult[]) => {
    const { first, last } = batch;
    try {
      await earlier;
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
    const contended =
      error instanceof SyncFailed && error.cause instanceof Contended ? error.cause : undefined;
    // Whoever is in the way of one record is not to be in the way of the others.
    if (contended !== undefined && applied === undefined) {
      throw new BatchRefused(contended.message, { cause: contended });
    }
    throw error;
  }
}

/** What is sent is made once, however often it is tried. */
function sender(
  writer: ModelWriter,
  task: Task,
  batch: PlannedBatch,
  out: ByteWriter,
): (prepared: Prepared) => Promise<RecordResult[]> {
  const { writeLines } = writer;
  if (writeLines !== undefined) {
    const lines = outgoingLines(task, batch, out);
    return (prepared) => writeLines(lines, batch.length, prepared);
  }
  const records = outgoing(task, batch.records);
  return (prepared) => writer.write(records, prepared);
}
