/** What the statements of loops that never end read, whatever the database's statistics say and however long the history is. */

import pino from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMetadataDatabase, type MetadataDatabase } from '../test/support/database.ts';
import { type DatabaseHandle, loopSessions, maintainPartitions, openDatabase } from './db/index.ts';
import { type EventQuery, pageStatement } from './events/list.ts';
import { logSessions } from './events/log.ts';
import { claimExecution } from './executions/claim.ts';
import { folderLogs } from './executions/index.ts';
import { removeExpired } from './executions/retention.ts';
import { explainWaiting } from './executions/watch-queue.ts';
import { staleTables } from './model-syncs/stale-tables.ts';
import { timeToNext } from './schedules/scheduler.ts';
import { startDue } from './schedules/start-due.ts';
import { claimDeliveries, findDue, returnDeliveries } from './webhooks/claim.ts';
import { recordAttempts } from './webhooks/record.ts';
import { releaseDeliveries } from './webhooks/release.ts';

const hour = 3_600_000;
const retention = 48 * hour;
const organizationId = '00000000-0000-4000-8000-000000000001';
const webhookId = '00000000-0000-4000-8000-0000000000a1';
const workerId = crypto.randomUUID();
let metadata: MetadataDatabase;
let loops: DatabaseHandle;
/** Readers of the event log have sessions of their own. */
let logs: DatabaseHandle;

beforeAll(async () => {
  metadata = await createMetadataDatabase();
  for (let back = 42; back >= 0; back -= 6) {
    await maintainPartitions(metadata.db, retention, Date.now() - back * hour);
  }
  await metadata.query(
    `do $$ declare one record; begin
       for one in select c.oid::regclass as name from pg_class c
         where relnamespace = 'tidemark'::regnamespace and relkind = 'r' loop
         execute format('alter table %s set (autovacuum_enabled = off)', one.name);
       end loop; end $$`,
  );
  const writer = openDatabase(metadata.url, 1);
  await writer.pool.query(history);
  await writer.close();
});
afterAll(() => metadata[Symbol.asyncDispose]());

/** Two days of one organization that does much, and others; 5,000 deliveries wait, 20,000 executions have ended. */
const history = `
  set search_path = tidemark;
  insert into organizations (id, name) select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'o' || n
    from generate_series(1, 20) n;
  insert into event_heads select id, now() from organizations;
  insert into webhooks (id, organization_id, endpoint, secret)
    select ('00000000-0000-4000-8000-0000000000a' || n)::uuid,
      ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'http://127.0.0.1:9', '\\x00'
    from generate_series(1, 9) n;
  insert into events (organization_id, created_at, id, type, event)
    select '${organizationId}', now() - n * interval '6 seconds', gen_random_uuid(),
      case when n % 5000 = 0 then 'sync.failed' else 'sync.running' end, '{}' from generate_series(1, 20000) n;
  insert into webhook_deliveries (id, created_at, organization_id, webhook_id, event_id, event_type, status, attempts)
    select gen_random_uuid(), created_at, organization_id, '${webhookId}', id, type,
      case when created_at > now() - interval '30000 seconds' then 'pending' else 'delivered' end, 1 from events;
  insert into webhook_attempts (webhook_id, delivery_id, created_at, attempt, started_at)
    select webhook_id, id, created_at, 1, created_at from webhook_deliveries;
  insert into webhook_queue (webhook_id, created_at, delivery_id, due_at)
    select webhook_id, created_at, id, created_at from webhook_deliveries where status = 'pending';
  insert into executions (organization_id, kind, sync_id, status, trigger, subject, created_at, completed_at, logs_removed_at)
    select '${organizationId}', 'model', ('00000000-0000-4000-9000-' || lpad((n % 100)::text, 12, '0'))::uuid,
      'completed', 'manual', '{"name": "s"}', at, at, now()
    from generate_series(1, 20000) n, lateral (select now() - n * interval '1 minute' as at) t;
  insert into executions (id, organization_id, kind, sync_id, status, trigger, subject)
    select gen_random_uuid(), '${organizationId}', 'model', gen_random_uuid(), 'queued', 'manual', '{"name": "s"}'
    from generate_series(1, 20);
  insert into schedules (organization_id, kind, sync_id, position, settings, next_run_at, run_after)
    select '${organizationId}', 'model', ('00000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid, 0,
      '{"frequency": "hourly", "minute": 5}',
      case when n < 5 then now() - interval '1 minute' else now() + interval '1 hour' end,
      array[('00000000-0000-4000-9000-' || lpad((99 - n)::text, 12, '0'))::uuid]
    from generate_series(0, 99) n;
  insert into model_sync_plans (sync_id, execution_id)
    select sync_id, (select id from executions where status = 'completed' limit 1) from schedules limit 10;`;

const forgetStatistics = `
  select pg_clear_relation_stats('tidemark', relname::text) from pg_class
    where relnamespace = 'tidemark'::regnamespace and relkind in ('r', 'i', 'p');
  delete from pg_statistic where starelid in (select oid from pg_class where relnamespace = 'tidemark'::regnamespace);`;
/** As it was when next to nothing was there, in few pages or in many. */
const claim = (pages: number, tuples: number) => `
  select pg_restore_relation_stats('schemaname', 'tidemark', 'relname', relname::text, 'relpages', ${pages},
    'reltuples', ${tuples}::real) from pg_class
  where relnamespace = 'tidemark'::regnamespace and relkind in ('r', 'i', 'p');`;

/** Rows of tables and entries of indexes that were read. Others' count late, so only these sessions are used. */
async function rowsRead(work: () => Promise<unknown>): Promise<number> {
  const total = async () => {
    for (const { pool } of [loops, logs]) await pool.query('select pg_stat_force_next_flush()');
    const [row] = await metadata.query<{ read: number }>(`
      select ((select sum(seq_tup_read) from pg_stat_all_tables where schemaname = 'tidemark')
        + (select sum(idx_tup_read) from pg_stat_all_indexes where schemaname = 'tidemark'))::float8 as read`);
    return row?.read ?? 0;
  };
  const before = await total();
  await work();
  return (await total()) - before;
}

const kept = {
  get db() {
    return loops.db;
  },
  recordLogs: folderLogs('/nowhere'),
};
const log = pino({ level: 'silent' });
const claimSome = (count: number) =>
  claimDeliveries(loops.pool, workerId, [{ webhookId, retry: false, count }]);

/** Of the organization with 20,000 events, four of which are of a rare type. */
const readEvents = (query: Partial<EventQuery>) =>
  logs.pool.query(
    pageStatement({ organizationId, ascending: true, after: ago(0), limit: 101, retention, ...query }),
  );
const ago = (hours: number) => new Date(Date.now() - hours * hour).toISOString();
const [rare, both] = [['sync.failed'], ['sync.failed', 'sync.running']];

/** Each with the rows that it may read, those that no vacuum has removed from indexes yet included; `before` is not counted. */
const statements: Record<
  string,
  [atMost: number, work: (given: never) => Promise<unknown>, before?: () => Promise<unknown>]
> = {
  'deliveries are claimed': [32 * 16, () => claimSome(32)],
  'claimed deliveries are given back': [
    32 * 16,
    (given: Awaited<ReturnType<typeof claimSome>>) => returnDeliveries(loops.pool, workerId, given),
    () => claimSome(32),
  ],
  'attempts are recorded': [
    32 * 16,
    (given: Awaited<ReturnType<typeof claimSome>>) =>
      recordAttempts(
        loops.pool,
        workerId,
        given.map((claimed) => ({ claimed, status: 'delivered', wait: 0, result: null })),
      ),
    () => claimSome(32),
  ],
  'what is due is looked for': [500, () => findDue(loops.pool)],
  'what a late worker left is looked for': [
    500,
    () => releaseDeliveries(loops.db, { attempts: 6, deadline: 60_000 }),
  ],
  'what a dead worker left is handed on': [
    32 * 16,
    () => releaseDeliveries(loops.db, { attempts: 6, deadline: 60_000, workerId }),
    () => claimSome(32),
  ],
  'executions that wait are explained': [20 * 8, () => explainWaiting(loops.db)],
  'an execution is claimed': [
    60,
    (id: string) => claimExecution({ db: loops.db, jobs: {} as never, publicUrl: '', workerId }, id),
    async () => {
      const {
        rows: [row],
      } = await loops.pool.query<{ id: string }>(
        `select id from tidemark.executions where status = 'queued' limit 1`,
      );
      return row?.id;
    },
  ],
  'a schedule that is due is started': [
    60,
    () => startDue({ db: loops.db, log }, { model: async () => {}, bulk: async () => {} }),
  ],
  'the next time is looked for': [10, () => timeToNext(loops.db)],
  'nothing is old enough to be removed': [
    500,
    () =>
      removeExpired(
        { db: loops.db, recordLogs: folderLogs('/nowhere') },
        { recordLogDays: 30, executionDays: 30 },
      ),
  ],
  'the oldest executions are removed': [
    300 * 8,
    () => removeExpired(kept, { recordLogDays: 0, executionDays: 30 }),
    () =>
      loops.pool.query(`update tidemark.executions set completed_at = completed_at - interval '1 month' where id in (
        select id from tidemark.executions where status = 'completed' order by created_at limit 300)`),
  ],
  'events: nothing new': [30, () => readEvents({})],
  'events: the next page': [101 + 30, () => readEvents({ after: ago(30) })],
  'events: nothing new of a type': [30, () => readEvents({ types: rare })],
  'events: those of a rare type, oldest first': [60, () => readEvents({ types: rare, after: ago(1000) })],
  'events: those of a rare type, newest first': [
    60,
    () => readEvents({ types: rare, after: undefined, ascending: false }),
  ],
  'events: the next page of two types': [
    2 * (2 * 101 + 30),
    () => readEvents({ types: both, after: ago(30) }),
  ],
  'events: between two times, of a type': [
    2 * 101 + 60,
    () => readEvents({ types: both, after: ago(30), before: ago(29.9) }),
  ],
  'stale tables are looked for': [20, () => staleTables(loops.db)],
};

describe.each([
  ['not analyzed', forgetStatistics],
  ['analyzed', 'analyze'],
  ['analyzed when next to nothing was there', claim(1, 1)],
  ['analyzed when much more was there', claim(1, 1_000_000)],
])('on a database that is %s', (_, prepare) => {
  beforeAll(async () => {
    loops = openDatabase(metadata.url, 1, loopSessions);
    logs = openDatabase(metadata.url, 1, logSessions);
    await loops.pool.query(prepare);
  });
  afterAll(() => Promise.all([loops.close(), logs.close()]));

  test.each(Object.entries(statements))('%s', async (_, [atMost, work, before]) => {
    const given = (await before?.()) as never;
    const read = await rowsRead(() => work(given));
    expect(read).toBeLessThanOrEqual(atMost);
    await loops.pool.query(
      'update tidemark.webhook_queue set worker_id = null, claimed_at = null, retry = false where worker_id is not null',
    );
  });
});
