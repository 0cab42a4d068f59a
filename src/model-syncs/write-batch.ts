import {
  BatchRefused,
  type ModelWriter,
  type OutgoingRecord,
  type RecordResult,
} from '../connectors/index.ts';
import type { Run } from '../executions/index.ts';
import type { Answer } from './baseline.ts';
import { clearIntent, type Intent, storeIntent, wasCommitted } from './intents.ts';
import { persist } from './persist.ts';

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
): Promise<Answer[]> {
  let applied: Intent | undefined;
  let ourFailure: unknown;

  const prepared = async (token: string, results: RecordResult[]) => {
    const intent = { token, answers: answersOf(records, results) };
    try {
      // Through the claim: a worker that lost it must not commit at the destination.
      await run.commit({}, (tx) => storeIntent(tx, run.execution.id, intent));
    } catch (error) {
      ourFailure = error;
      throw error;
    }
    applied = intent;
  };

  const attempt = async (): Promise<Answer[]> => {
    if (applied !== undefined) {
      if (await wasCommitted(writer, applied.token)) return applied.answers;
      await run.commit({}, (tx) => clearIntent(tx, run.execution.id));
      applied = undefined;
    }
    return answersOf(records, await writer.write(records, prepared));
  };

  const what = `A batch of ${records.length} records could not be written`;
  const isFinal = (error: unknown) => error instanceof BatchRefused || ourFailure !== undefined;
  try {
    return await persist(run, delays, what, attempt, isFinal);
  } catch (error) {
    throw ourFailure ?? error;
  }
}

export function answersOf(records: readonly OutgoingRecord[], results: readonly RecordResult[]): Answer[] {
  return records.map(({ key, hash }, index) => {
    const result = results[index];
    if (result === undefined) {
      throw new Error(`the writer gave ${results.length} results for ${records.length} records`);
    }
    return { key, hash, result };
  });
}
