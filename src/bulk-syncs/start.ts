import type { Database } from '../db/index.ts';
import { TidemarkError } from '../errors.ts';
import { type Execution, startExecution } from '../executions/index.ts';
import type { Jobs } from '../jobs/index.ts';
import { orMeant } from '../lib/near-name.ts';
import { type Schedule, schedulesOf } from '../schedules/index.ts';
import type { StartBulkSyncRequest } from '../schema/bulk-sync.ts';
import type { BulkSync, SelectedSchema } from './bulk-sync.ts';
import { destinationSettings } from './destination-settings.ts';
import { coversNewObjects, scheduledSchemas } from './scheduled-schemas.ts';
import { insertSchemaExecutions } from './schema-executions.ts';
import { selectedSchemas } from './selected-schemas.ts';
import { getBulkSync } from './store.ts';

/**
 * Starts an execution of all enabled schemas, or of the enabled ones among those requested or scheduled. Which they
 * are is settled here, so that a run that is taken over goes on with the same list.
 *
 * @param schedule that asks for it, in the transaction that sets its next time; undefined for a request.
 * @throws execution_running
 */
export async function startBulkSync(
  deps: { db: Database; jobs: Jobs },
  organizationId: string,
  id: string,
  request: StartBulkSyncRequest,
  schedule?: Schedule,
): Promise<Execution> {
  const sync = await getBulkSync(deps.db, organizationId, id);
  const resyncMode = request.resync_mode ?? (request.resync ? 'rebuild' : undefined);
  if (request.test && resyncMode !== undefined) {
    throw new TidemarkError('invalid_field', { field: 'test', reason: 'excludes resync_mode and resync' });
  }
  const all = await selectedSchemas(deps.db, sync.id);
  const { chosen, options } =
    schedule === undefined
      ? chooseSchemas(all, request.schemas ?? [])
      : await chooseScheduled(deps.db, schedule, all);
  return startExecution(deps, {
    organizationId,
    kind: 'bulk',
    syncId: sync.id,
    trigger: schedule === undefined ? 'manual' : 'scheduled',
    options: {
      test: request.test ?? false,
      fetch_mode: request.fetch_mode ?? 'none',
      output_disposition: disposition(sync, resyncMode, request.test ?? false),
      ...(resyncMode === undefined ? {} : { resync_mode: resyncMode }),
      ...options,
    },
    subject: {
      sync_name: sync.name,
      source_connection_id: sync.sourceConnectionId,
      destination_connection_id: sync.destinationConnectionId,
    },
    prepare: (tx, executionId) => insertSchemaExecutions(tx, executionId, sync, all, chosen),
  });
}

/** `BulkOutputDisposition`: what becomes of what is there already. A table without a key is replaced all the same. */
function disposition(sync: BulkSync, resyncMode: string | undefined, test: boolean): string {
  if (test) return 'retain';
  if (resyncMode === 'rebuild') return 'rebuild';
  if (sync.mode === 'replicate' && resyncMode !== 'resync') return 'retain';
  return destinationSettings(sync).truncate ? 'truncate' : 'rebuild';
}

interface Choice {
  chosen: SelectedSchema[];
  /** What the execution says about it: `schemas` for a part of them, which discovers new objects or does not. */
  options: { schemas?: string[]; discovers?: boolean };
}

function chooseSchemas(all: readonly SelectedSchema[], requested: readonly string[]): Choice {
  const known = new Set(all.map(({ id }) => id));
  const wanted = new Set(requested);
  for (const id of requested) {
    if (known.has(id)) continue;
    throw new TidemarkError('invalid_field', {
      field: 'schemas',
      reason: `${id} is no schema of this bulk sync${orMeant(
        id,
        all.map((schema) => schema.id),
      )}`,
    });
  }
  const chosen = all.filter(({ id, enabled }) => enabled && (requested.length === 0 || wanted.has(id)));
  if (chosen.length > 0)
    return { chosen, options: requested.length === 0 ? {} : { schemas: [...requested] } };
  throw new TidemarkError('bad_request', {
    reason:
      requested.length === 0
        ? 'No schema of this bulk sync is enabled'
        : 'None of the requested schemas is enabled in this bulk sync',
  });
}

/** What a schedule is for. A part of the schemas may still take in what turns up in the source. */
async function chooseScheduled(
  db: Database,
  schedule: Schedule,
  all: readonly SelectedSchema[],
): Promise<Choice> {
  const schedules = (await schedulesOf(db, [schedule.syncId])).get(schedule.syncId) ?? [];
  const chosen = scheduledSchemas(schedule, schedules, all);
  if (chosen.length === 0) {
    throw new TidemarkError('bad_request', { reason: 'No enabled schema belongs to this schedule' });
  }
  const discovers = coversNewObjects(schedule, schedules);
  const isWhole = discovers && chosen.length === all.filter(({ enabled }) => enabled).length;
  return { chosen, options: isWhole ? {} : { schemas: chosen.map(({ id }) => id), discovers } };
}
