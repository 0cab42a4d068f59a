import type { Database } from '../db/index.ts';
import { cancelSync, deleteExecutions } from '../executions/index.ts';
import type { Jobs } from '../jobs/index.ts';
import type { Actor } from '../organizations/index.ts';
import { activateSchedules, saveSchedules } from '../schedules/index.ts';
import type { ModelSyncRequest } from '../schema/model-sync.ts';
import type { ModelSyncDependencies } from './destination.ts';
import { draftModelSync } from './draft.ts';
import type { ModelSync } from './model-sync.ts';
import { dropStaleTables } from './stale-tables.ts';
import { getModelSync, insertModelSync, replaceModelSync, setActive } from './store.ts';

export async function createModelSync(
  deps: ModelSyncDependencies,
  organizationId: string,
  actor: Actor,
  request: ModelSyncRequest,
): Promise<ModelSync> {
  const draft = await draftModelSync(deps, organizationId, request);
  return deps.db.transaction().execute(async (tx) => {
    const sync = await insertModelSync(tx, organizationId, actor, draft);
    await saveSchedules(tx, { ...sync, kind: 'model' }, actor, [{ settings: draft.schedule }]);
    return sync;
  });
}

/** Replaces the whole sync: what the request leaves out falls back to its default. */
export async function updateModelSync(
  deps: ModelSyncDependencies,
  organizationId: string,
  actor: Actor,
  id: string,
  request: ModelSyncRequest,
): Promise<ModelSync> {
  const current = await getModelSync(deps.db, organizationId, id);
  const draft = await draftModelSync(deps, organizationId, request, current);
  return deps.db.transaction().execute(async (tx) => {
    const sync = await replaceModelSync(tx, organizationId, actor, current.id, draft);
    await saveSchedules(tx, { ...sync, kind: 'model' }, actor, [{ settings: draft.schedule }]);
    return sync;
  });
}

/** Starts or stops the schedule. What runs goes on. */
export async function activateModelSync(
  deps: { db: Database },
  organizationId: string,
  actor: Actor,
  id: string,
  active: boolean,
): Promise<void> {
  const sync = await getModelSync(deps.db, organizationId, id);
  await deps.db.transaction().execute(async (tx) => {
    await setActive(tx, organizationId, actor, sync.id, active);
    await activateSchedules(tx, sync.id, active);
  });
}

/** Cancels what runs, then deletes the sync with its executions and its baseline. */
export async function deleteModelSync(
  deps: { db: Database; jobs: Jobs; publicUrl: string },
  organizationId: string,
  id: string,
): Promise<void> {
  await getModelSync(deps.db, organizationId, id);
  // First: the end of its execution would let the next one start.
  await deps.db.transaction().execute((tx) => activateSchedules(tx, id, false));
  await deleteExecutions(deps, organizationId, id);
  await deps.db
    .deleteFrom('model_syncs')
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .execute();
  await dropStaleTables(deps.db);
}

/** Cancels what runs. @returns what happened, in words. */
export async function cancelModelSync(
  deps: { db: Database; jobs: Jobs; publicUrl: string },
  organizationId: string,
  id: string,
): Promise<string> {
  await getModelSync(deps.db, organizationId, id);
  const execution = await cancelSync(deps, organizationId, id);
  return execution === undefined ? 'Nothing is running' : `Cancellation of ${execution.id} requested`;
}
