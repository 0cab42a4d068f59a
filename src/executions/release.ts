import type { Database } from '../db/index.ts';
import type { Jobs } from '../jobs/index.ts';
import { executionQueue } from './queue.ts';

/**
 * Hands on the executions of a worker that is known to be dead, instead of waiting until its heartbeats have
 * been missed. They keep their status; the next worker goes on from the checkpoint.
 */
export async function releaseExecutions(deps: { db: Database; jobs: Jobs }, workerId: string): Promise<void> {
  await deps.db.transaction().execute(async (tx) => {
    const rows = await tx
      .updateTable('executions')
      .set({ claim: null, worker_id: null })
      .where('worker_id', '=', workerId)
      .where('status', 'in', ['running', 'canceling'])
      .returning('job_id')
      .execute();
    const jobIds = rows.flatMap(({ job_id }) => job_id ?? []);
    await deps.jobs.release(tx, executionQueue, jobIds);
  });
}
