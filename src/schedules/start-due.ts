import { sql } from 'kysely';
import { type Database, isConnectionFailure, type Transaction } from '../db/index.ts';
import { messageOf, TidemarkError } from '../errors.ts';
import type { Logger } from '../lib/log.ts';
import { nextTime } from './next-time.ts';
import type { Schedule, SyncKind } from './schedule.ts';
import { type ScheduleRow, scheduleColumns, toSchedule } from './store.ts';

/** Milliseconds before another try when a start failed. */
const pause = 60_000;

/**
 * Inserts the execution of a schedule that is due, in the given transaction.
 *
 * @throws TidemarkError execution_running when the sync runs already; any other when there is nothing to start.
 */
export type Starter = (tx: Transaction, schedule: Schedule) => Promise<void>;
export type Starters = Record<SyncKind, Starter>;

interface Due extends Schedule {
  now: Date;
  /** Whether what this start would do is being done already, or must not be done. */
  passedOver: boolean;
}

/**
 * Starts what is due first, and sets its next time, in one transaction: however many servers do this and whenever
 * one dies, a due start happens once.
 *
 * @returns whether there was something to do.
 */
export async function startDue(deps: { db: Database; log: Logger }, starters: Starters): Promise<boolean> {
  let due: Due | undefined;
  try {
    return await deps.db.transaction().execute(async (tx) => {
      due = await claimDue(tx);
      if (due === undefined) return false;
      if (!due.passedOver) await start(deps.log, starters, tx, due);
      await setNext(tx, due, nextTime(due.settings, due.now));
      return true;
    });
  } catch (error) {
    if (due === undefined || isConnectionFailure(error)) throw error;
    // Somebody else started the sync meanwhile: the next look knows what to make of it.
    if (error instanceof TidemarkError && error.key === 'execution_running') return true;
    // One schedule that cannot be carried out must not keep the others from being looked at.
    deps.log.error({ err: error, sync_id: due.syncId, schedule_id: due.id }, 'schedule.start_failed');
    await setNext(deps.db, due, new Date(due.now.getTime() + pause));
    return true;
  }
}

async function start(log: Logger, starters: Starters, tx: Transaction, due: Due): Promise<void> {
  const said = { sync_id: due.syncId, schedule_id: due.id, due_at: due.nextRunAt };
  try {
    await starters[due.kind](tx, due);
    log.info(said, 'schedule.started');
  } catch (error) {
    if (!(error instanceof TidemarkError) || error.key === 'execution_running') throw error;
    log.warn({ ...said, reason: messageOf(error) }, 'schedule.nothing_to_start');
  }
}

/**
 * Takes what has been due longest. What waits is left alone: for the sync's own execution, for one of the syncs
 * that it runs after, or for a server that has it already.
 *
 * An execution that was started by hand, over everything, after the schedule was due does what the schedule asks
 * for. `status` as in the index executions_one_running. What may keep a schedule waiting is asked for each in an expression,
 * of which the planner makes no join with all executions.
 */
async function claimDue(tx: Transaction): Promise<Due | undefined> {
  const unfinished = sql`status in ('created', 'queued', 'running', 'canceling')`;
  const does = sql`trigger = 'manual' and executions.created_at >= next_run_at
    and options ->> 'test' is distinct from 'true'
    and options -> 'schemas' is null and options -> 'identities' is null
    and coalesce(settings ->> 'resync_mode', 'normal') = 'normal'`;
  const { rows } = await sql<ScheduleRow & { now: string; served: boolean; failed: boolean }>`
    select ${sql.join(scheduleColumns.map((column) => sql.ref(column)))}, clock_timestamp() as now,
      exists (select from executions where executions.sync_id = schedules.sync_id and ${unfinished}) as served,
      coalesce(settings ->> 'run_after_success_only', 'false') = 'true' and exists (
        select from unnest(run_after) as listed (id)
        cross join lateral (
          select status from executions
          where executions.sync_id = listed.id and options ->> 'test' is distinct from 'true'
          order by executions.created_at desc limit 1
        ) as newest
        where newest.status <> 'completed') as failed
    from schedules
    where next_run_at <= now()
      and (select true from executions
        where executions.sync_id = schedules.sync_id and ${unfinished} and not (${does}) limit 1) is null
      and (select true from executions
        where executions.sync_id = any (run_after) and ${unfinished} limit 1) is null
    order by next_run_at limit 1
    for update of schedules skip locked`.execute(tx);
  const [row] = rows;
  return row && { ...toSchedule(row), now: new Date(row.now), passedOver: row.served || row.failed };
}

/** Unless it has been changed or turned off since. */
async function setNext(db: Database, due: Due, at: Date | null): Promise<void> {
  await db
    .updateTable('schedules')
    .set({ next_run_at: at })
    .where('id', '=', due.id)
    .where('next_run_at', '=', due.nextRunAt)
    .execute();
}
