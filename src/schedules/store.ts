import { type SelectQueryBuilder, sql } from 'kysely';
import type { Database } from '../db/index.ts';
import type { Actor } from '../organizations/index.ts';
import type { Schedule, ScheduleSettings, SyncKind } from './schedule.ts';

/** NOTIFY channel: something may be due, or due at another time. */
export const scheduleChannel = 'tidemark_schedules';

export const scheduleColumns = [
  'id',
  'organization_id',
  'kind',
  'sync_id',
  'position',
  'settings',
  'next_run_at',
  'created_by',
  'updated_by',
  'created_at',
  'updated_at',
] as const;

/** The schedules of syncs, by sync: the default one first. */
export async function schedulesOf(
  db: Database,
  syncIds: readonly string[],
): Promise<Map<string, Schedule[]>> {
  if (syncIds.length === 0) return new Map();
  const rows = await selectSchedules(db).where('sync_id', 'in', syncIds).execute();
  return Map.groupBy(rows.map(toSchedule), ({ syncId }) => syncId);
}

/** When each of these syncs starts next by itself; no entry for one that does not. */
export async function nextRuns(db: Database, syncIds: readonly string[]): Promise<Map<string, string>> {
  if (syncIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('schedules')
    .select((where) => ['sync_id', where.fn.min('next_run_at').as('at')])
    .where('sync_id', 'in', syncIds)
    .where('next_run_at', 'is not', null)
    .groupBy('sync_id')
    .execute();
  return new Map(rows.map(({ sync_id, at }) => [sync_id, at as string]));
}

/** Whether one of `syncIds` starts after `syncId`, be it over others. */
export async function startsAfter(
  db: Database,
  syncIds: readonly string[],
  syncId: string,
): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`
    with recursive before (id) as (
      select unnest(${syncIds}::uuid[])
      union
      select listed.id::uuid
      from before
      join schedules on sync_id = before.id and settings ->> 'frequency' = 'runafter'
      cross join lateral jsonb_array_elements_text(settings -> 'run_after' -> 'sync_ids') as listed (id)
    )
    select exists (select from before where id = ${syncId}::uuid) as found`.execute(db);
  return rows[0]?.found ?? false;
}

export function selectSchedules(db: Database) {
  return db.selectFrom('schedules').select(scheduleColumns).orderBy('position').orderBy('created_at');
}

type Selected<Query> = Query extends SelectQueryBuilder<infer _DB, infer _Table, infer Row> ? Row : never;
export type ScheduleRow = Selected<ReturnType<typeof selectSchedules>>;

export function toSchedule(row: ScheduleRow): Schedule {
  return {
    id: row.id,
    organizationId: row.organization_id,
    kind: row.kind as SyncKind,
    syncId: row.sync_id,
    isDefault: row.position === 0,
    // The casts undo what save.ts did: these columns hold what that file wrote.
    settings: row.settings as unknown as ScheduleSettings,
    nextRunAt: row.next_run_at,
    createdBy: row.created_by as unknown as Actor | null,
    updatedBy: row.updated_by as unknown as Actor | null,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
