import type { Transaction } from '../db/index.ts';
import type { Jobs } from '../jobs/index.ts';
import type { Schedule } from '../schedules/index.ts';
import { startBulkSync } from './start.ts';

/** Starts what a schedule is for, in the transaction that sets its next time. */
export async function startScheduledBulkSync(
  deps: { db: Transaction; jobs: Jobs },
  schedule: Schedule,
): Promise<void> {
  const { organizationId, syncId, settings } = schedule;
  const { resync_mode: mode = 'normal' } = settings;
  await startBulkSync(deps, organizationId, syncId, mode === 'normal' ? {} : { resync_mode: mode }, schedule);
}
