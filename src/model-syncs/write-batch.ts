import { setTimeout as wait } from 'node:timers/promises';
import {
  BatchRefused,
  type ModelWriter,
  type OutgoingRecord,
  type RecordResult,
} from '../connectors/index.ts';
import { messageOf } from '../errors.ts';
import type { Run } from '../executions/index.ts';
import { clearIntent, type Intent, storeIntent, wasCommitted } from './intents.ts';
import { SyncFailed } from './sync-failed.ts';

/** Milliseconds to wait before each further try of a batch. */
export const retryDelays = [500, 2_000, 8_000] as const;

/**
 * Writes a batch, again after failures that may pass.
 *
 * A try that broke off after the destination had applied it may have been committed: before the next try the
 * destination is asked, and as long as it cannot be asked nothing is sent.
 *
 * @throws BatchRefused as the writer does; SyncFailed when it stays out of reach.
 */
export async function writeBatch(
  run: Run,
  writer: ModelWriter,
  records: readonly OutgoingRecord[],
  delays: readonly number[],
): Promise<RecordResult[]> {
  let applied: Intent | undefined;
  let ours: { error: unknown } | undefined;
  const prepared = async (token: string, results: RecordResult[]) => {
    const answers = answersOf(records, results);
    try {
      // Through the claim: a worker that lost it must not commit at the destination.
      await run.commit({}, (tx) => storeIntent(tx, run.execution.id, { token, answers }));
    } catch (error) {
      ours = { error };
      throw error;
    }
    applied = { token, answers };
  };
  for (let attempt = 0; ; attempt++) {
    run.signal.throwIfAborted();
    try {
      if (applied !== undefined) {
        if (await wasCommitted(writer, applied.token)) return applied.answers.map(({ result }) => result);
        await run.commit({}, (tx) => clearIntent(tx, run.execution.id));
        applied = undefined;
      }
      return await writer.write(records, prepared);
    } catch (error) {
      if (ours !== undefined) throw ours.error;
      if (error instanceof BatchRefused) throw error;
      run.signal.throwIfAborted();
      const delay = delays[attempt];
      const told = `A batch of ${records.length} records could not be written: ${messageOf(error)}`;
      if (delay === undefined) {
        throw new SyncFailed(`${told} (${attempt + 1} tries)`, { cause: error });
      }
      await run.console('warn', `${told}; trying again in ${delay / 1000} s`);
      await wait(delay, undefined, { signal: run.signal }).catch(() => run.signal.throwIfAborted());
    }
  }
}

export function answersOf(records: readonly OutgoingRecord[], results: readonly RecordResult[]) {
  return records.map(({ key, hash }, index) => {
    const result = results[index];
    if (result === undefined)
      throw new Error(`the writer gave ${results.length} results for ${records.length} records`);
    return { key, hash, result };
  });
}
