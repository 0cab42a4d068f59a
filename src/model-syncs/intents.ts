import type { ModelWriter } from '../connectors/index.ts';
import type { Database, Transaction } from '../db/index.ts';
import type { JsonObject } from '../lib/json.ts';
import type { DeliverCheckpoint } from './plan.ts';

/**
 * Something that was applied at the destination; whether it was committed only the destination knows. An execution
 * has one at most.
 */
export interface OpenIntent {
  executionId: string;
  token: string;
  /** What counts if it was: see `stretches.ts` and `replace.ts`. */
  results: JsonObject;
  /** What that execution was doing. */
  checkpoint: DeliverCheckpoint;
}

export async function storeIntent(
  tx: Transaction,
  executionId: string,
  token: string,
  results: object,
): Promise<void> {
  // What reasons and warnings tell of values may have it, and a jsonb may not.
  const withoutNul = (_: string, value: unknown) =>
    typeof value === 'string' ? value.replaceAll('\0', '\ufffd') : value;
  const json = JSON.stringify(results, withoutNul);
  await tx
    .insertInto('model_sync_intents')
    .values({ execution_id: executionId, token, results: json })
    .onConflict((conflict) => conflict.column('execution_id').doUpdateSet({ token, results: json }))
    .execute();
}

export async function clearIntent(tx: Transaction, executionId: string): Promise<void> {
  await tx.deleteFrom('model_sync_intents').where('execution_id', '=', executionId).execute();
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
    results: row.results as JsonObject,
    // Nothing is written before the plan was committed with its checkpoint.
    checkpoint: row.checkpoint as unknown as DeliverCheckpoint,
  }));
}

export async function ownIntent(
  db: Database,
  { id, syncId }: { id: string; syncId: string },
): Promise<OpenIntent | undefined> {
  return (await openIntents(db, syncId)).find(({ executionId }) => executionId === id);
}

/** A destination that cannot tell gets the batch again: it may see it twice, but never not at all. */
export async function wasCommitted(writer: Pick<ModelWriter, 'outcome'>, token: string): Promise<boolean> {
  return writer.outcome !== undefined && (await writer.outcome(token)) === 'committed';
}
