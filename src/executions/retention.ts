import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { Database } from '../db/index.ts';
import type { RecordLogStore } from './record-log-store.ts';

/** Milliseconds between two rounds. */
const every = 60_000;
/** Of one transaction. */
const executionsAtMost = 500;
const sweepsAtMost = 100;

/** Days that something is kept after its execution has ended; 0: for ever. */
export interface Retention {
  recordLogDays: number;
  executionDays: number;
}

interface Dependencies {
  db: Database;
  recordLogs: RecordLogStore;
}

/** Removes what has been kept long enough, now and every minute. Any number of servers may do it at once. */
export function startRetention(
  deps: Dependencies,
  retention: Retention,
  log: Logger,
): { stop(): Promise<void> } {
  const ended = new AbortController();
  const round = () =>
    removeExpired(deps, retention, ended.signal).catch((error: unknown) => {
      if (!ended.signal.aborted) log.error({ err: error }, 'executions.retention_failed');
    });
  let running = round();
  const timer = setInterval(() => {
    running = running.then(round);
  }, every);
  return {
    async stop() {
      clearInterval(timer);
      ended.abort();
      await running;
    },
  };
}

/** One round. Works in pieces, so that no transaction is long and a kill loses nothing. */
export async function removeExpired(
  { db, recordLogs }: Dependencies,
  { recordLogDays, executionDays }: Retention,
  signal?: AbortSignal,
): Promise<void> {
  const untilFewer = async (most: number, piece: () => Promise<number>) => {
    do signal?.throwIfAborted();
    while ((await piece()) === most);
  };
  if (executionDays > 0) {
    await untilFewer(executionsAtMost, () => removeExecutions(db, executionDays, executionsAtMost));
  }
  if (recordLogDays > 0) {
    await untilFewer(executionsAtMost, () => forgetRecordLogs(db, recordLogDays, executionsAtMost));
  }
  await untilFewer(sweepsAtMost, () => sweepDue(db, recordLogs, sweepsAtMost));
}

/**
 * `now()`, for an index is not searched by what is another time for each row, as `clock_timestamp()` may be.
 *
 * Deletes executions that ended long ago. The last one of a sync stays, whose end other syncs may wait for and users
 * ask about; so does one that left a batch of which the destination has yet to say what became of it.
 */
async function removeExecutions(db: Database, days: number, limit: number): Promise<number> {
  const { rows } = await sql<{ id: string }>`
    delete from executions where id = any (array(
      select id from executions old
      cross join lateral (select from executions newer
        where newer.sync_id = old.sync_id and newer.completed_at is not null
          and newer.created_at > old.created_at
        order by newer.created_at limit 1) newer
      where completed_at < now() - make_interval(days => ${days})
        and (select execution_id from model_sync_intents where execution_id = old.id) is null
      order by completed_at limit ${limit} for update of old skip locked))
    returning id`.execute(db);
  return rows.length;
}

/** The files go with the next sweep. */
async function forgetRecordLogs(db: Database, days: number, limit: number): Promise<number> {
  const { rows } = await sql<{ id: string }>`
    with expired as (
      update executions set logs_removed_at = clock_timestamp() where id = any (array(
        select id from executions
        where completed_at < now() - make_interval(days => ${days}) and logs_removed_at is null
        order by completed_at limit ${limit} for update skip locked))
      returning id),
    forgotten as (delete from record_log_files where execution_id = any (array(select id from expired)))
    select id from expired`.execute(db);
  return rows.length;
}

/** Minutes after which what could not be swept is tried again, by whichever server comes first. */
const lease = 10;

/** Removes the stored files of some executions that are on record nowhere. */
async function sweepDue(db: Database, recordLogs: RecordLogStore, limit: number): Promise<number> {
  const { rows } = await sql<{ execution_id: string; organization_id: string; leased: string }>`
    update record_log_sweeps set due_at = clock_timestamp() + make_interval(mins => ${lease})
    where execution_id = any (array(
      select execution_id from record_log_sweeps where due_at <= now()
      order by due_at limit ${limit} for update skip locked))
    returning execution_id, organization_id, due_at::text as leased`.execute(db);
  for (const { execution_id: id, organization_id: organizationId, leased } of rows) {
    const kept = await db
      .selectFrom('record_log_files')
      .select(['filename', 'bytes', 'parts'])
      .where('execution_id', '=', id)
      .execute();
    await recordLogs.sweep({ id, organizationId }, kept);
    await db
      .deleteFrom('record_log_sweeps')
      .where('execution_id', '=', id)
      // Another time: something of the execution went meanwhile, and it is to be swept once more.
      .where('due_at', '=', sql<string>`${leased}::timestamptz`)
      .execute();
  }
  return rows.length;
}
