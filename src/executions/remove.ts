import type { Database } from '../db/index.ts';
import type { Jobs } from '../jobs/index.ts';
import { cancelSync } from './cancel.ts';
import { executionQueue } from './queue.ts';
import { unfinished } from './store.ts';
import { transition } from './transition.ts';

/**
 * Removes everything a sync has run, for a sync that is being deleted. A running execution is canceled first,
 * and announced as such; its worker then finds its claim gone and stops. The stored logs follow, see `retention.ts`.
 */
export async function deleteExecutions(
  deps: { db: Database; jobs: Jobs; publicUrl: string },
  organizationId: string,
  syncId: string,
): Promise<void> {
  const canceling = await cancelSync(deps, organizationId, syncId);
  if (canceling?.status === 'canceling') {
    const canceled = { executionId: canceling.id, from: ['canceling'], to: 'canceled' } as const;
    await deps.db.transaction().execute((tx) => transition(tx, deps, canceled));
  }
  const rows = await deps.db
    .deleteFrom('executions')
    .where('organization_id', '=', organizationId)
    .where('sync_id', '=', syncId)
    .returning(['job_id', 'status'])
    .execute();
  const waiting = rows.filter((row) => unfinished.some((status) => status === row.status));
  await deps.jobs.remove(
    deps.db,
    executionQueue,
    waiting.flatMap(({ job_id }) => job_id ?? []),
  );
}
