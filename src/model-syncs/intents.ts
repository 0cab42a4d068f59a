import type { ModelWriter, RecordResult } from '../connectors/index.ts';
import type { Database, Transaction } from '../db/index.ts';
import type { Answer } from './baseline.ts';
import type { DeliverCheckpoint } from './plan.ts';

/** A batch that was applied at the destination; whether it was committed only the destination knows. */
export interface Intent {
  token: string;
  answers: Answer[];
}

export async function storeIntent(tx: Transaction, executionId: string, intent: Intent): Promise<void> {
  const results = JSON.stringify(intent.answers.map(({ key, hash, result }) => [key, hash, result]));
  await tx
    .insertInto('model_sync_intents')
    .values({ execution_id: executionId, token: intent.token, results })
    .onConflict((conflict) => conflict.column('execution_id').doUpdateSet({ token: intent.token, results }))
    .execute();
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
    // Undoes storeIntent.
    answers: (row.results as unknown as [string, string, RecordResult][]).map(([key, hash, result]) => ({
      key,
      hash,
      result,
    })),
  }));
}

/** A destination that cannot tell gets the batch again: it may see it twice, but never not at all. */
export async function wasCommitted(writer: ModelWriter, token: string): Promise<boolean> {
  return writer.outcome !== undefined && (await writer.outcome(token)) === 'committed';
}
