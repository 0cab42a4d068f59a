import type { Database } from '../db/index.ts';
import type { Jobs } from '../jobs/index.ts';
import { cancelSync } from './cancel.ts';
import { executionQueue } from './queue.ts';
import { removeRecordLogs } from './record-logs.ts';
import { unfinished } from './store.ts';

/**
 * Removes everything a sync has run, for a sync that is being deleted. A running execution is canceled first,
 * and announced as such; its worker then finds its claim gone and stops.
 */
export async function deleteExecutions(
  deps: { db: Database; jobs: Jobs; publicUrl: string; recordLogFolder: string },
  organizationId: string,
  syncId: string,
): Promise<void> {
  await cancelSync(deps, organizationId, syncId);
  const rows = await deps.db
    .deleteFrom('executions')
    .where('organization_id', '=', organizationId)
    .where('sync_id', '=', syncId)
    .returning(['id', 'job_id', 'status'])
    .execute();
  const waiting = rows.filter((row) => unfinished.some((status) => status === row.status));
  await deps.jobs.remove(
    deps.db,
    executionQueue,
    waiting.flatMap(({ job_id }) => job_id ?? []),
  );
  for (const { id } of rows) await removeRecordLogs(deps.recordLogFolder, { organizationId, id });
}
