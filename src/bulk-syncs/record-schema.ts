import { sql } from 'kysely';
import type { Counts, Run } from '../executions/index.ts';
import type { Json } from '../lib/json.ts';

export interface SchemaExecution {
  status?: 'running' | 'completed' | 'failed' | 'canceled';
  status_message?: string;
  output_name?: string;
  estimated_count?: number | null;
  record_count?: number;
  byte_count?: number;
  error_count?: number;
  warning_count?: number;
  /** How it is read: see table-plan.ts. */
  plan?: Json;
}

/**
 * Commits what is known of a schema's execution, with what it adds to the counts of the whole one.
 *
 * @returns false when the schema was canceled before it began.
 */
export async function recordSchema(
  run: Run,
  schemaId: string,
  change: SchemaExecution,
  counts: Counts = {},
): Promise<boolean> {
  const now = sql<string>`clock_timestamp()`;
  const { status, plan, ...columns } = change;
  let found = false;
  await run.commit({ counts }, async (tx) => {
    const row = await tx
      .updateTable('bulk_schema_executions')
      .set({
        ...columns,
        ...(status === undefined ? {} : { status }),
        ...(plan === undefined ? {} : { plan: JSON.stringify(plan) }),
        updated_at: now,
        ...(status === 'running' ? { started_at: sql<string>`coalesce(started_at, ${now})` } : {}),
        ...(status === undefined || status === 'running' ? {} : { completed_at: now }),
      })
      .where('execution_id', '=', run.execution.id)
      .where('schema_id', '=', schemaId)
      .where('status', 'in', ['created', 'running'])
      .returning('schema_id')
      .executeTakeFirst();
    found = row !== undefined;
  });
  return found;
}
