import type { Database } from '../db/index.ts';
import type { Jobs } from '../jobs/index.ts';
import { deliveryQueue } from './queue.ts';

/** Hands on the deliveries of a worker that is known to be dead. The attempt each was in counts as failed. */
export async function releaseDeliveries(deps: { db: Database; jobs: Jobs }, workerId: string): Promise<void> {
  await deps.db.transaction().execute(async (tx) => {
    const rows = await tx
      .updateTable('webhook_deliveries')
      .set({ worker_id: null })
      .where('worker_id', '=', workerId)
      .where('status', '=', 'pending')
      .returning('job_id')
      .execute();
    const jobIds = rows.flatMap(({ job_id }) => job_id ?? []);
    await deps.jobs.release(tx, deliveryQueue, jobIds);
  });
}
