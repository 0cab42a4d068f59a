import type { Database } from '../db/index.ts';
import type { BulkSync, SelectedSchema } from './bulk-sync.ts';
import { type OutputName, outputNames } from './output-names.ts';
import { selectedSchemas } from './selected-schemas.ts';

/** One schema that this execution still has to do. */
export interface Task {
  schemaId: string;
  /** Undefined: it was taken out of the sync since the execution was started. */
  schema: SelectedSchema | undefined;
  output: OutputName;
}

/**
 * The schemas that are not finished. The rows of bulk_schema_executions are the checkpoint: a run that takes
 * over does not touch a schema again that was completed or has failed.
 */
export async function planTasks(db: Database, sync: BulkSync, executionId: string): Promise<Task[]> {
  const rows = await db
    .selectFrom('bulk_schema_executions')
    .select(['schema_id', 'output_name'])
    .where('execution_id', '=', executionId)
    .where('status', 'in', ['created', 'running'])
    .orderBy('schema_id')
    .execute();
  const all = await selectedSchemas(db, sync.id);
  const names = outputNames(sync, all);
  return rows.map(({ schema_id: schemaId, output_name: name }) => ({
    schemaId,
    schema: all.find(({ id }) => id === schemaId),
    output: names.get(schemaId) ?? { schema: 'public', name },
  }));
}
