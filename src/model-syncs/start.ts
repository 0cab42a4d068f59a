import type { Database } from '../db/index.ts';
import { TidemarkError } from '../errors.ts';
import { type Execution, startExecution, syncStatus } from '../executions/index.ts';
import type { Jobs } from '../jobs/index.ts';
import { getModel } from '../models/index.ts';
import type { StartModelSyncRequest } from '../schema/model-sync.ts';
import { getModelSync } from './store.ts';

/** Starts an execution by request. A sync that is not active can be started, too: active is about schedules. */
export async function startModelSync(
  deps: { db: Database; jobs: Jobs },
  organizationId: string,
  id: string,
  request: StartModelSyncRequest,
): Promise<Execution> {
  const sync = await getModelSync(deps.db, organizationId, id);
  const identities = request.identities ?? [];
  if (identities.length > 0 && sync.identity === null) {
    const model = await getModel(deps.db, organizationId, sync.modelId);
    if (model.identifier === null) {
      throw new TidemarkError('bad_request', {
        reason: 'identities: neither the sync has an identity nor its model an identifier',
      });
    }
  }
  return startExecution(deps, {
    organizationId,
    kind: 'model',
    syncId: sync.id,
    trigger: 'manual',
    options: {
      resync: request.resync ?? false,
      test: request.test ?? false,
      ...(identities.length > 0 ? { identities } : {}),
    },
    subject: { sync_name: sync.name, target_connection_id: sync.target.connectionId },
  });
}

export async function modelSyncStatus(
  db: Database,
  organizationId: string,
  id: string,
): Promise<{ current?: Execution; last?: Execution }> {
  const sync = await getModelSync(db, organizationId, id);
  return syncStatus(db, sync.id);
}
