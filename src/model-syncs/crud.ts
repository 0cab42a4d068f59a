import type { Database } from '../db/index.ts';
import { cancelSync, deleteExecutions } from '../executions/index.ts';
import type { Jobs } from '../jobs/index.ts';
import type { Actor } from '../organizations/index.ts';
import type { ModelSyncRequest } from '../schema/model-sync.ts';
import type { ModelSyncDependencies } from './destination.ts';
import { draftModelSync } from './draft.ts';
import type { ModelSync } from './model-sync.ts';
import { getModelSync, insertModelSync, replaceModelSync } from './store.ts';

export async function createModelSync(
  deps: ModelSyncDependencies,
  organizationId: string,
  actor: Actor,
  request: ModelSyncRequest,
): Promise<ModelSync> {
  const draft = await draftModelSync(deps, organizationId, request);
  return insertModelSync(deps.db, organizationId, actor, draft);
}

/** Replaces the whole sync: what the request leaves out falls back to its default. */
export async function updateModelSync(
  deps: ModelSyncDependencies,
  organizationId: string,
  actor: Actor,
  id: string,
  request: ModelSyncRequest,
): Promise<ModelSync> {
  await getModelSync(deps.db, organizationId, id);
  const draft = await draftModelSync(deps, organizationId, request);
  return replaceModelSync(deps.db, organizationId, actor, id, draft);
}

/** Cancels what runs, then deletes the sync with its executions and its baseline. */
export async function deleteModelSync(
  deps: { db: Database; jobs: Jobs; publicUrl: string; recordLogFolder: string },
  organizationId: string,
  id: string,
): Promise<void> {
  await getModelSync(deps.db, organizationId, id);
  await deleteExecutions(deps, organizationId, id);
  await deps.db
    .deleteFrom('model_syncs')
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .execute();
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
