import { sql } from 'kysely';
import { cachedSchemas } from '../connections/index.ts';
import type { Database, Transaction } from '../db/index.ts';
import { TidemarkError } from '../errors.ts';
import { type Execution, startExecution } from '../executions/index.ts';
import type { Jobs } from '../jobs/index.ts';
import type { StartBulkSyncRequest } from '../schema/bulk-sync.ts';
import type { BulkSync, SelectedSchema } from './bulk-sync.ts';
import { outputNames } from './output-names.ts';
import { isDiscovered, selectSchema } from './schema-settings.ts';
import { saveSchemas, selectedSchemas } from './selected-schemas.ts';
import { getBulkSync } from './store.ts';

/**
 * Starts an execution of all enabled schemas, or of the enabled ones among those requested. Which they are is
 * settled here, so that a run that is taken over goes on with the same list.
 *
 * @throws execution_running
 */
export async function startBulkSync(
  deps: { db: Database; jobs: Jobs },
  organizationId: string,
  id: string,
  request: StartBulkSyncRequest,
  trigger: 'manual' | 'scheduled' = 'manual',
): Promise<Execution> {
  const sync = await getBulkSync(deps.db, organizationId, id);
  const resyncMode = request.resync_mode ?? (request.resync ? 'rebuild' : undefined);
  if (request.test && resyncMode !== undefined) {
    throw new TidemarkError('invalid_field', { field: 'test', reason: 'excludes resync_mode and resync' });
  }
  const all = await withNewObjects(deps.db, sync, await selectedSchemas(deps.db, sync.id));
  const chosen = chooseSchemas(all, request.schemas ?? []);
  const names = outputNames(sync, all);
  return startExecution(deps, {
    organizationId,
    kind: 'bulk',
    syncId: sync.id,
    trigger,
    options: {
      test: request.test ?? false,
      fetch_mode: request.fetch_mode ?? 'none',
      ...(resyncMode === undefined ? {} : { resync_mode: resyncMode }),
      ...(request.schemas?.length ? { schemas: request.schemas } : {}),
    },
    subject: {
      sync_name: sync.name,
      source_connection_id: sync.sourceConnectionId,
      destination_connection_id: sync.destinationConnectionId,
    },
    prepare: (tx, executionId) =>
      insertSchemaExecutions(
        tx,
        executionId,
        chosen.map((schema) => ({ id: schema.id, output: names.get(schema.id)?.name ?? schema.id })),
      ),
  });
}

/** Objects that turned up in the source since, where the sync is to take them. */
async function withNewObjects(
  db: Database,
  sync: BulkSync,
  known: readonly SelectedSchema[],
): Promise<SelectedSchema[]> {
  // A new object has no tracking field yet.
  if (!isDiscovered(sync.addNewObjects, false)) return [...known];
  const ids = new Set(known.map(({ id }) => id));
  const added = (await cachedSchemas(db, sync.sourceConnectionId))
    .filter(({ id }) => !ids.has(id))
    .map(({ id, fields }) => selectSchema({ id, fields }, {}));
  await saveSchemas(db, sync.id, added);
  return [...known, ...added];
}

function chooseSchemas(all: readonly SelectedSchema[], requested: readonly string[]): SelectedSchema[] {
  for (const id of requested) {
    if (all.some((schema) => schema.id === id)) continue;
    throw new TidemarkError('invalid_field', {
      field: 'schemas',
      reason: `${id} is no schema of this bulk sync`,
    });
  }
  const chosen = all.filter(
    ({ id, enabled }) => enabled && (requested.length === 0 || requested.includes(id)),
  );
  if (chosen.length > 0) return chosen;
  throw new TidemarkError('bad_request', {
    reason:
      requested.length === 0
        ? 'No schema of this bulk sync is enabled'
        : 'None of the requested schemas is enabled in this bulk sync',
  });
}

async function insertSchemaExecutions(
  tx: Transaction,
  executionId: string,
  schemas: { id: string; output: string }[],
): Promise<void> {
  await sql`
    insert into bulk_schema_executions (execution_id, schema_id, output_name, status)
    select ${executionId}::uuid, id, output, 'created'
    from jsonb_to_recordset(${JSON.stringify(schemas)}::jsonb) as row (id text, output text)
  `.execute(tx);
}
