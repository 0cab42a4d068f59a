import type { Database } from '../db/index.ts';
import { TidemarkError } from '../errors.ts';
import { type Execution, startExecution } from '../executions/index.ts';
import type { Jobs } from '../jobs/index.ts';
import type { StartBulkSyncRequest } from '../schema/bulk-sync.ts';
import type { SelectedSchema } from './bulk-sync.ts';
import { insertSchemaExecutions } from './schema-executions.ts';
import { selectedSchemas } from './selected-schemas.ts';
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
  const all = await selectedSchemas(deps.db, sync.id);
  const chosen = chooseSchemas(all, request.schemas ?? []);
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
    prepare: (tx, executionId) => insertSchemaExecutions(tx, executionId, sync, all, chosen),
  });
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
