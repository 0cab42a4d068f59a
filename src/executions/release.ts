import { sql } from 'kysely';
import type { Database } from '../db/index.ts';
import type { Jobs } from '../jobs/index.ts';
import { executionQueue } from './queue.ts';

/**
 * Hands on the executions of a worker that is known to be dead, instead of waiting until its heartbeats have
 * been missed. They keep their status; the next worker goes on from the checkpoint. Executions run in processes of
 * their own, so that none of them is to blame.
 */
export async function releaseExecutions(deps: { db: Database; jobs: Jobs }, workerId: string): Promise<void> {
  await deps.db.transaction().execute(async (tx) => {
    const rows = await tx
      .updateTable('executions')
      .set({ claim: null, worker_id: null, claims: sql<number>`claims - 1` })
      .where('worker_id', '=', workerId)
      .where('status', 'in', ['running', 'canceling'])
      .returning('job_id')
      .execute();
    const jobIds = rows.flatMap(({ job_id }) => job_id ?? []);
    await deps.jobs.release(tx, executionQueue, jobIds);
  });
}
