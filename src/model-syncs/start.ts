import type { Database, Transaction } from '../db/index.ts';
import { type Execution, startExecution, syncStatus } from '../executions/index.ts';
import type { Jobs } from '../jobs/index.ts';
import { nextRuns, type Schedule } from '../schedules/index.ts';
import type { StartModelSyncRequest } from '../schema/model-sync.ts';
import { askedIdentities } from './asked-identities.ts';
import { getModelSync } from './store.ts';

/** Starts an execution by request. A sync that is not active can be started, too: active is about schedules. */
export async function startModelSync(
  deps: { db: Database; jobs: Jobs },
  organizationId: string,
  id: string,
  request: StartModelSyncRequest,
  trigger: 'manual' | 'scheduled' = 'manual',
): Promise<Execution> {
  const sync = await getModelSync(deps.db, organizationId, id);
  const identities = await askedIdentities(deps.db, sync, request);
  return startExecution(deps, {
    organizationId,
    kind: 'model',
    syncId: sync.id,
    trigger,
    options: {
      resync: request.resync ?? false,
      test: request.test ?? false,
      ...(identities === undefined ? {} : { identities }),
    },
    subject: { sync_name: sync.name, target_connection_id: sync.target.connectionId },
  });
}

/** Starts what a schedule asks for, in the transaction that sets its next time. */
export async function startScheduledModelSync(
  deps: { db: Transaction; jobs: Jobs },
  { organizationId, syncId }: Schedule,
): Promise<void> {
  await startModelSync(deps, organizationId, syncId, {}, 'scheduled');
}

export async function modelSyncStatus(
  db: Database,
  organizationId: string,
  id: string,
): Promise<{ current?: Execution; last?: Execution; next: string | null }> {
  const sync = await getModelSync(db, organizationId, id);
  const next = await nextRuns(db, [sync.id]);
  return { ...(await syncStatus(db, sync.id)), next: next.get(sync.id) ?? null };
}
