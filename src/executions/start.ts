import type { Database, Transaction } from '../db/index.ts';
import { TidemarkError } from '../errors.ts';
import { anyWorker, type Jobs } from '../jobs/index.ts';
import type { JsonObject } from '../lib/json.ts';
import type { Execution, ExecutionKind, Subject } from './contract.ts';
import { type ExecutionJob, executionQueue } from './queue.ts';
import { executionColumns, toExecution, unfinished } from './store.ts';
import { noWorker } from './watch-queue.ts';

export interface NewExecution {
  organizationId: string;
  kind: ExecutionKind;
  syncId: string;
  /** `manual` or `scheduled`. */
  trigger: string;
  options: JsonObject;
  subject: Subject;
  /** More rows to write in the same transaction. */
  prepare?: (tx: Transaction, executionId: string) => Promise<void>;
}

/**
 * Starts an execution: its row and its job, in the caller's transaction or in one of its own.
 *
 * @throws execution_running when the sync has an unfinished one. A unique index decides, so that of any
 *   number of simultaneous starts one wins. A transaction of the caller's can go on after that.
 */
export async function startExecution(
  deps: { db: Database; jobs: Jobs },
  start: NewExecution,
): Promise<Execution> {
  const { db, jobs } = deps;
  const insert = (tx: Database) => insertExecution(tx as Transaction, jobs, start);
  const execution = await (db.isTransaction ? insert(db) : db.transaction().execute(insert));
  if (execution !== undefined) return execution;
  const running = await db
    .selectFrom('executions')
    .select('id')
    .where('sync_id', '=', start.syncId)
    .where('status', 'in', unfinished)
    .executeTakeFirst();
  throw new TidemarkError('execution_running', {
    sync_id: start.syncId,
    execution_id: running?.id ?? '(just finished)',
  });
}

/** @returns undefined when the unique index of running executions has one of this sync. */
async function insertExecution(
  tx: Transaction,
  jobs: Jobs,
  start: NewExecution,
): Promise<Execution | undefined> {
  const row = await tx
    .insertInto('executions')
    .values({
      organization_id: start.organizationId,
      kind: start.kind,
      sync_id: start.syncId,
      status: 'queued',
      trigger: start.trigger,
      options: JSON.stringify(start.options),
      subject: JSON.stringify(start.subject),
      status_message: (await anyWorker(tx)) ? null : noWorker,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning(executionColumns)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  await start.prepare?.(tx, row.id);
  const job = { data: { executionId: row.id } satisfies ExecutionJob, group: start.organizationId };
  const [jobId] = await jobs.insert(tx, executionQueue, [job]);
  await tx
    .updateTable('executions')
    .set({ job_id: jobId ?? null })
    .where('id', '=', row.id)
    .execute();
  return toExecution(row);
}
