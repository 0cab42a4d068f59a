import { sql } from 'kysely';
import type { Database } from '../db/index.ts';
import { notFound } from '../errors.ts';
import { syncStatus } from '../executions/index.ts';
import { selectedSchemas } from './selected-schemas.ts';
import { getBulkSync } from './store.ts';

/**
 * Takes one schema out of the execution that runs: at once if it waits, within a second or two if it is under way.
 * Its table stays as it was; the others go on. With nothing to cancel nothing happens, as with a whole sync.
 *
 * @throws not_found
 */
export async function cancelBulkSchema(
  db: Database,
  organizationId: string,
  syncId: string,
  schemaId: string,
): Promise<void> {
  const sync = await getBulkSync(db, organizationId, syncId);
  const schemas = await selectedSchemas(db, sync.id);
  if (!schemas.some(({ id }) => id === schemaId)) throw notFound('schema', schemaId);
  const { current } = await syncStatus(db, sync.id);
  if (current === undefined) return;
  await db
    .updateTable('bulk_schema_executions')
    .set({
      cancel_requested: true,
      status: sql<string>`case status when 'created' then 'canceled' else status end`,
      completed_at: sql<string>`case status when 'created' then clock_timestamp() end`,
    })
    .where('execution_id', '=', current.id)
    .where('schema_id', '=', schemaId)
    .where('status', 'in', ['created', 'running'])
    .execute();
}
