import { sql } from 'kysely';
import type { Database } from '../db/index.ts';
import type { Jobs } from '../jobs/index.ts';
import type { Execution } from './contract.ts';
import { cancelChannel } from './queue.ts';
import { getExecution, unfinished } from './store.ts';
import { transition } from './transition.ts';

interface CancelDependencies {
  db: Database;
  jobs: Jobs;
  publicUrl: string;
}

/**
 * Asks for an end. An execution that no worker has is canceled at once; a running one becomes
 * `canceling`, its worker hears of it by NOTIFY, and its status is final when the worker has stopped.
 * One that is finished already stays as it is.
 */
export async function cancelExecution(
  deps: CancelDependencies,
  organizationId: string,
  syncId: string,
  executionId: string,
): Promise<Execution> {
  await getExecution(deps.db, organizationId, syncId, executionId);
  await deps.db.transaction().execute(async (tx) => {
    const canceled = await transition(tx, deps, { executionId, from: ['created', 'queued'], to: 'canceled' });
    if (canceled !== undefined) return;
    // Handed back by a worker that drained or died: until another takes it, nobody else would end it.
    const held = await tx
      .selectFrom('executions')
      .select('claim')
      .where('id', '=', executionId)
      .forUpdate()
      .executeTakeFirst();
    if (held?.claim === null) {
      await transition(tx, deps, { executionId, from: ['running', 'canceling'], to: 'canceled' });
      return;
    }
    const canceling = await transition(tx, deps, { executionId, from: ['running'], to: 'canceling' });
    if (canceling !== undefined) await sql`select pg_notify(${cancelChannel}, ${executionId})`.execute(tx);
  });
  return getExecution(deps.db, organizationId, syncId, executionId);
}

/** Cancels the unfinished execution of a sync, if there is one. */
export async function cancelSync(
  deps: CancelDependencies,
  organizationId: string,
  syncId: string,
): Promise<Execution | undefined> {
  const row = await deps.db
    .selectFrom('executions')
    .select('id')
    .where('organization_id', '=', organizationId)
    .where('sync_id', '=', syncId)
    .where('status', 'in', unfinished)
    .executeTakeFirst();
  return row && cancelExecution(deps, organizationId, syncId, row.id);
}
