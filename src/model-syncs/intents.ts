import type { ModelWriter, RecordResult } from '../connectors/index.ts';
import type { Database, Transaction } from '../db/index.ts';
import type { DeliverCheckpoint } from './plan.ts';

/** A stretch of a plan that was applied at the destination; whether it was committed only the destination knows. */
export interface Intent {
  token: string;
  first: number;
  last: number;
  /** One per record of the stretch, in order. */
  results: RecordResult[];
}

/** Written for every batch, so it is kept small: most batches are one run of one letter. */
interface StoredIntent {
  first: number;
  last: number;
  /** Letters and how often each comes in a row, e.g. `i2000`; see `statuses`. */
  statuses: string;
  /** Of refused records, by their place. */
  reasons: Record<number, string>;
}

const statuses: Record<string, Exclude<RecordResult['status'], 'refused'>> = {
  i: 'inserted',
  u: 'updated',
  p: 'upserted',
  s: 'skipped',
};
const letters = new Map<string, string>(Object.entries(statuses).map(([letter, status]) => [status, letter]));

export async function storeIntent(tx: Transaction, executionId: string, intent: Intent): Promise<void> {
  const { token, first, last, results } = intent;
  const text = results.map(({ status }) => letters.get(status) ?? 'r').join('');
  const stored: StoredIntent = {
    first,
    last,
    statuses: text.replaceAll(/(.)\1*/g, (run, letter: string) => `${letter}${run.length}`),
    reasons: Object.fromEntries(
      results.flatMap((result, place) => (result.status === 'refused' ? [[place, result.reason]] : [])),
    ),
  };
  const json = JSON.stringify(stored);
  await tx
    .insertInto('model_sync_intents')
    .values({ execution_id: executionId, token, results: json })
    .onConflict((conflict) => conflict.column('execution_id').doUpdateSet({ token, results: json }))
    .execute();
}

function resultsIn({ statuses: given, reasons }: StoredIntent): RecordResult[] {
  const text = given.replaceAll(/(\D)(\d+)/g, (_, letter: string, count) => letter.repeat(Number(count)));
  return Array.from(text, (letter, place) => {
    const status = statuses[letter];
    return status === undefined ? { status: 'refused', reason: reasons[place] ?? '' } : { status };
  });
}

export async function clearIntent(tx: Transaction, executionId: string): Promise<void> {
  await tx.deleteFrom('model_sync_intents').where('execution_id', '=', executionId).execute();
}

export interface OpenIntent extends Intent {
  executionId: string;
  /** What that execution was doing. */
  checkpoint: DeliverCheckpoint;
}

/** Intents of a sync's executions: the running one's after a takeover, and those of executions cut short. */
export async function openIntents(db: Database, syncId: string): Promise<OpenIntent[]> {
  const rows = await db
    .selectFrom('model_sync_intents')
    .innerJoin('executions', 'executions.id', 'model_sync_intents.execution_id')
    .select([
      'model_sync_intents.execution_id',
      'model_sync_intents.token',
      'model_sync_intents.results',
      'executions.checkpoint',
    ])
    .where('executions.sync_id', '=', syncId)
    .execute();
  return rows.map((row) => {
    // What storeIntent wrote.
    const stored = row.results as unknown as StoredIntent;
    return {
      executionId: row.execution_id,
      token: row.token,
      first: stored.first,
      last: stored.last,
      results: resultsIn(stored),
      // Batches are written after the plan was committed with its checkpoint.
      checkpoint: row.checkpoint as unknown as DeliverCheckpoint,
    };
  });
}

/** A destination that cannot tell gets the batch again: it may see it twice, but never not at all. */
export async function wasCommitted(writer: ModelWriter, token: string): Promise<boolean> {
  return writer.outcome !== undefined && (await writer.outcome(token)) === 'committed';
}
