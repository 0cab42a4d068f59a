import { sql } from 'kysely';
import pino from 'pino';
import type { Database, Transaction } from '../../src/db/index.ts';
import { startExecution } from '../../src/executions/index.ts';
import { transition } from '../../src/executions/transition.ts';
import type { Jobs } from '../../src/jobs/index.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import {
  activateSchedules,
  type Schedule,
  type ScheduleSettings,
  saveSchedules,
  schedulesOf,
} from '../../src/schedules/index.ts';
import { type Starters, startDue } from '../../src/schedules/start-due.ts';
import { createMetadataDatabase } from './database.ts';

const log = pino({ level: 'silent' });
// Executions are ended by hand here, not by a worker: their jobs go nowhere.
const jobs = { insert: async () => [] } as unknown as Jobs;

/** Schedules of syncs that do nothing: what is looked at is when their executions start. */
export async function startSchedules() {
  const metadata = await createMetadataDatabase();
  const { db, url } = metadata;
  const { id: organizationId } = await db
    .insertInto('organizations')
    .values({ name: 'test' })
    .returning('id')
    .executeTakeFirstOrThrow();
  const actor = { id: organizationId, name: 'test', type: 'organization' as const };

  const start = (on: Database, syncId: string, trigger: 'manual' | 'scheduled', options: JsonObject = {}) =>
    startExecution(
      { db: on, jobs },
      {
        organizationId,
        kind: 'model',
        syncId,
        trigger,
        options,
        subject: { sync_name: 'nothing', target_connection_id: organizationId },
      },
    );
  const starter = async (tx: Transaction, schedule: Schedule) => {
    await start(tx, schedule.syncId, 'scheduled');
  };
  const starters: Starters = { model: starter, bulk: starter };

  const world = {
    db,
    url,
    log,
    starters,

    /** Saves the schedules of a sync. Returns the sync's id. */
    async save(schedules: ScheduleSettings[], syncId: string = crypto.randomUUID(), active = true) {
      const sync = { id: syncId, organizationId, kind: 'model' as const, active };
      const drafts = schedules.map((settings) => ({ settings }));
      await db.transaction().execute((tx) => saveSchedules(tx, sync, actor, drafts));
      return syncId;
    },
    activate: (syncId: string, active: boolean) =>
      db.transaction().execute((tx) => activateSchedules(tx, syncId, active)),
    /** Makes every schedule of a sync, or one of them, due since some time. */
    async due(syncId: string, ago = '1 hour', position?: number) {
      await sql`update schedules set next_run_at = clock_timestamp() - ${ago}::interval
        where sync_id = ${syncId} and position = coalesce(${position ?? null}, position)`.execute(db);
    },
    async schedules(syncId: string) {
      return (await schedulesOf(db, [syncId])).get(syncId) ?? [];
    },
    /** Milliseconds from the database's now to the next run of a sync's first schedule. */
    async untilNext(syncId: string): Promise<number | null> {
      const { rows } = await sql<{ wait: number | null }>`
        select (extract(epoch from next_run_at - clock_timestamp()) * 1000)::float8 as wait
        from schedules where sync_id = ${syncId} order by position limit 1`.execute(db);
      return rows[0]?.wait ?? null;
    },
    async executions(syncId: string) {
      return db
        .selectFrom('executions')
        .select(['id', 'status', 'trigger', 'created_at'])
        .where('sync_id', '=', syncId)
        .orderBy('created_at')
        .execute();
    },
    startByHand: (syncId: string, options: JsonObject = {}) => start(db, syncId, 'manual', options),
    /** Ends the running execution of a sync. */
    async end(syncId: string, to: 'completed' | 'failed' | 'canceled' = 'completed') {
      const running = (await world.executions(syncId)).find(({ status }) => status === 'queued');
      const change = { executionId: running?.id ?? '', from: ['queued'], to } as const;
      await db.transaction().execute((tx) => transition(tx, { publicUrl: '' }, change));
    },
    /** Starts whatever is due, as a server does. */
    async startAllDue(on: Database = db, by: Starters = starters) {
      while (await startDue({ db: on, log }, by));
    },
    [Symbol.asyncDispose]: () => metadata[Symbol.asyncDispose](),
  };
  return world;
}
