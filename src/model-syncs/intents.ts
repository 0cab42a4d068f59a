import type { ModelWriter, RecordResult } from '../connectors/index.ts';
import type { Database, Transaction } from '../db/index.ts';
import type { Answer } from './baseline.ts';
import type { DeliverCheckpoint } from './plan.ts';

/** A batch that was applied at the destination; whether it was committed only the destination knows. */
export interface Intent {
  token: string;
  answers: Answer[];
}

/** Side by side instead of record by record: this is written for every batch, and parses several times faster. */
interface StoredAnswers {
  keys: string[];
  hashes: string[];
  /** The first letter is enough to tell them apart, see `statuses`. */
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
  const { token, answers } = intent;
  const stored: StoredAnswers = {
    keys: answers.map(({ key }) => key),
    hashes: answers.map(({ hash }) => hash),
    statuses: answers.map(({ result }) => letters.get(result.status) ?? 'r').join(''),
    reasons: Object.fromEntries(
      answers.flatMap(({ result }, place) => (result.status === 'refused' ? [[place, result.reason]] : [])),
    ),
  };
  const results = JSON.stringify(stored);
  await tx
    .insertInto('model_sync_intents')
    .values({ execution_id: executionId, token, results })
    .onConflict((conflict) => conflict.column('execution_id').doUpdateSet({ token, results }))
    .execute();
}

function answersIn({ keys, hashes, statuses: given, reasons }: StoredAnswers): Answer[] {
  return keys.map((key, place) => {
    const status = statuses[given.charAt(place)];
    const result: RecordResult =
      status === undefined ? { status: 'refused', reason: reasons[place] ?? '' } : { status };
    return { key, hash: hashes[place] ?? '0', result };
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
  return rows.map((row) => ({
    executionId: row.execution_id,
    token: row.token,
    // Batches are written after the plan was committed with its checkpoint.
    checkpoint: row.checkpoint as unknown as DeliverCheckpoint,
    // What storeIntent wrote.
    answers: answersIn(row.results as unknown as StoredAnswers),
  }));
}

/** A destination that cannot tell gets the batch again: it may see it twice, but never not at all. */
export async function wasCommitted(writer: ModelWriter, token: string): Promise<boolean> {
  return writer.outcome !== undefined && (await writer.outcome(token)) === 'committed';
}
