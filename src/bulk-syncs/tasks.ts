import type { Database } from '../db/index.ts';
import type { Json } from '../lib/json.ts';
import type { BulkSync, SelectedSchema } from './bulk-sync.ts';
import type { OutputName } from './output-names.ts';
import { selectedSchemas } from './selected-schemas.ts';

/** One schema that this execution still has to do. */
export interface Task {
  schemaId: string;
  /** Undefined: it was taken out of the sync since the execution was started. */
  schema: SelectedSchema | undefined;
  output: OutputName;
  /** How the run before this one was reading it: see table-plan.ts. Null: it had not begun, or read it as a whole. */
  plan: Json;
}

/**
 * The schemas that are not finished. The rows of bulk_schema_executions are the checkpoint: a run that takes
 * over does not touch a schema again that was completed or has failed.
 */
export async function planTasks(db: Database, sync: BulkSync, executionId: string): Promise<Task[]> {
  const rows = await db
    .selectFrom('bulk_schema_executions')
    .select(['schema_id', 'output_name', 'output_schema', 'plan'])
    .where('execution_id', '=', executionId)
    .where('status', 'in', ['created', 'running'])
    .orderBy('schema_id')
    .execute();
  const all = await selectedSchemas(db, sync.id);
  return rows.map(({ schema_id: schemaId, output_name: name, output_schema: output, plan }) => ({
    schemaId,
    schema: all.find(({ id }) => id === schemaId),
    output: { schema: output ?? 'public', name },
    plan,
  }));
}
