import { ensureSchemas, type OpenDependencies, withConnection } from '../connections/index.ts';
import type { Session, SourceSchema } from '../connectors/index.ts';
import type { Database } from '../db/index.ts';
import { TidemarkError } from '../errors.ts';
import { cancelSync, deleteExecutions } from '../executions/index.ts';
import type { Jobs } from '../jobs/index.ts';
import { orMeant } from '../lib/near-name.ts';
import type { Actor } from '../organizations/index.ts';
import { activateSchedules, saveSchedules, schedulesOf } from '../schedules/index.ts';
import type { BulkSyncRequest } from '../schema/bulk-sync.ts';
import type { BulkSync, BulkSyncDraft, SelectedSchema } from './bulk-sync.ts';
import { saveKnownSchemas } from './discover.ts';
import { draftBulkSync, type Generation } from './draft.ts';
import { draftSchedules } from './schedule-drafts.ts';
import { checkOutputNames, selectSchema } from './schema-settings.ts';
import { saveSchemas, selectedSchemas } from './selected-schemas.ts';
import { getBulkSync, insertBulkSync, replaceBulkSync, touchBulkSync } from './store.ts';
import { updateSelection } from './update-selection.ts';

export async function createBulkSync(
  deps: OpenDependencies,
  organizationId: string,
  actor: Actor,
  request: BulkSyncRequest,
  generation: Generation,
): Promise<BulkSync> {
  const draft = draftBulkSync(request);
  await checkConnections(deps, organizationId, draft);
  const schemas = await ensureSchemas(deps, organizationId, draft.sourceConnectionId);
  const selected = selectRequested(schemas, request);
  const ids = selected.map(({ id }) => id);
  const schedules = draftSchedules(request, generation, [], ids);
  return deps.db.transaction().execute(async (tx) => {
    const sync = await insertBulkSync(tx, organizationId, actor, draft);
    await saveSchemas(tx, sync.id, selected);
    await saveKnownSchemas(
      tx,
      sync.id,
      schemas.map(({ id }) => id),
    );
    await saveSchedules(tx, { ...sync, kind: 'bulk' }, actor, schedules);
    return sync;
  });
}

/** Replaces everything; of the schemas what the request says of them, see `updateSelection`. */
export async function updateBulkSync(
  deps: OpenDependencies,
  organizationId: string,
  actor: Actor,
  id: string,
  request: BulkSyncRequest,
  generation: Generation,
): Promise<BulkSync> {
  const before = await getBulkSync(deps.db, organizationId, id);
  const draft = draftBulkSync(request);
  await checkConnections(deps, organizationId, draft);
  const selected = await updateSelection(deps, before, draft.sourceConnectionId, request);
  return deps.db.transaction().execute(async (tx) => {
    const sync = await replaceBulkSync(tx, organizationId, actor, id, draft);
    await saveSchemas(tx, sync.id, selected);
    const current = (await schedulesOf(tx, [sync.id])).get(sync.id) ?? [];
    const schemas = (await selectedSchemas(tx, sync.id)).map((schema) => schema.id);
    const schedules = draftSchedules(request, generation, current, schemas);
    await saveSchedules(tx, { ...sync, kind: 'bulk' }, actor, schedules);
    return sync;
  });
}

/** Turning a sync off also asks its running execution to end. */
export async function activateBulkSync(
  deps: { db: Database; jobs: Jobs; publicUrl: string },
  organizationId: string,
  actor: Actor,
  id: string,
  active: boolean,
): Promise<void> {
  const sync = await deps.db.transaction().execute(async (tx) => {
    const changed = await touchBulkSync(tx, organizationId, actor, id, { active });
    await activateSchedules(tx, changed.id, active);
    return changed;
  });
  if (!active) await cancelSync(deps, organizationId, sync.id);
}

/** Deletes a sync with its history. What it has written to the destination stays. */
export async function deleteBulkSync(
  deps: { db: Database; jobs: Jobs; publicUrl: string },
  organizationId: string,
  id: string,
): Promise<void> {
  const sync = await getBulkSync(deps.db, organizationId, id);
  // First: the end of its execution would let the next one start.
  await deps.db.transaction().execute((tx) => activateSchedules(tx, sync.id, false));
  await deleteExecutions(deps, organizationId, sync.id);
  await deps.db
    .deleteFrom('bulk_syncs')
    .where('organization_id', '=', organizationId)
    .where('id', '=', sync.id)
    .execute();
}

/** No list selects every schema of the source; a list selects these, as they are described. */
function selectRequested(schemas: readonly SourceSchema[], request: BulkSyncRequest): SelectedSchema[] {
  const requested = request.schemas ?? schemas.map(({ id }) => id);
  const selected = new Map<string, SelectedSchema>();
  const known = new Map(schemas.map((schema) => [schema.id, schema]));
  for (const item of requested) {
    const choice = typeof item === 'string' ? { id: item } : item;
    const schema = known.get(choice.id);
    if (schema === undefined) {
      const near = orMeant(
        choice.id,
        schemas.map(({ id }) => id),
      );
      const reason = `${choice.id} is no schema of connection ${request.source_connection_id}${near}`;
      throw new TidemarkError('invalid_field', { field: 'schemas', reason });
    }
    checkOutputNames(choice.id, choice, { schema: undefined, field: () => undefined });
    selected.set(choice.id, selectSchema({ id: choice.id, fields: schema.fields }, choice));
  }
  return [...selected.values()];
}

/** @throws invalid_field when a connection is not there or cannot play its part. Connects to nothing. */
async function checkConnections(
  deps: OpenDependencies,
  organizationId: string,
  draft: BulkSyncDraft,
): Promise<void> {
  const check = async (field: string, id: string, role: string, part: (session: Session) => unknown) => {
    const invalid = (reason: string) => new TidemarkError('invalid_field', { field, reason });
    try {
      await withConnection(deps, organizationId, id, async (session, { type }) => {
        if (part(session) === undefined)
          throw invalid(`a ${type} connection cannot be the ${role} of a bulk sync`);
      });
    } catch (error) {
      const missing = error instanceof TidemarkError && error.key === 'not_found';
      throw missing ? invalid(`no connection with id ${id} exists`) : error;
    }
  };
  await check('source_connection_id', draft.sourceConnectionId, 'source', ({ bulkSource }) => bulkSource);
  await check(
    'destination_connection_id',
    draft.destinationConnectionId,
    'destination',
    ({ bulkDestination }) => bulkDestination,
  );
}
