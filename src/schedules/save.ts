import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import type { Database, Transaction } from '../db/index.ts';
import type { Actor } from '../organizations/index.ts';
import { readParts } from './check.ts';
import { firstTime } from './next-time.ts';
import type { Schedule, ScheduleSettings, SyncKind } from './schedule.ts';
import { scheduleChannel, selectSchedules, toSchedule } from './store.ts';

export interface ScheduledSync {
  id: string;
  organizationId: string;
  kind: SyncKind;
  active: boolean;
}

export interface ScheduleDraft {
  /** Of the schedule that this one replaces. */
  id?: string | null | undefined;
  settings: ScheduleSettings;
}

/**
 * Makes these the schedules of a sync, the first of them its default, in the transaction that creates or changes
 * the sync, after its row was written: that row's lock is what keeps two changes apart.
 *
 * A schedule whose time stays the same keeps its next start: saving a sync again and again does not put it off.
 *
 * @returns the ids, in the order of the drafts.
 */
export async function saveSchedules(
  tx: Transaction,
  sync: ScheduledSync,
  actor: Actor,
  drafts: readonly ScheduleDraft[],
): Promise<string[]> {
  // Locked, or a start in between would be taken back by what is written here.
  const rows = await selectSchedules(tx).where('sync_id', '=', sync.id).forUpdate().execute();
  const left = rows.map(toSchedule);
  const named = new Set(drafts.map(({ id }) => id));
  const now = await databaseTime(tx);
  const ids: string[] = [];
  for (const [position, draft] of drafts.entries()) {
    const index = left.findIndex((one) => replaces(position === 0, draft, one, named));
    const [current] = index < 0 ? [] : left.splice(index, 1);
    ids.push(await write(tx, { sync, actor, position, settings: draft.settings, current, now }));
  }
  const gone = left.map(({ id }) => id);
  if (gone.length > 0) await tx.deleteFrom('schedules').where('id', 'in', gone).execute();
  await announceChange(tx);
  return ids;
}

interface Change {
  sync: ScheduledSync;
  actor: Actor;
  position: number;
  settings: ScheduleSettings;
  current: Schedule | undefined;
  now: Date;
}

async function write(tx: Transaction, change: Change): Promise<string> {
  const { sync, position, settings, current } = change;
  const by = JSON.stringify(change.actor);
  const row = {
    position,
    settings: JSON.stringify(settings),
    next_run_at: nextRun(change),
    run_after: sync.active ? listed(settings) : [],
  };
  if (current !== undefined) {
    const same = isDeepStrictEqual(current.settings, settings);
    const changed = same ? {} : { updated_by: by, updated_at: sql<string>`now()` };
    await tx
      .updateTable('schedules')
      .set({ ...row, ...changed })
      .where('id', '=', current.id)
      .execute();
    return current.id;
  }
  const owner = { organization_id: sync.organizationId, kind: sync.kind, sync_id: sync.id };
  const { id } = await tx
    .insertInto('schedules')
    .values({ ...owner, ...row, created_by: by, updated_by: by })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** Starts or stops the clocks of a sync, in the transaction that activates or deactivates it. */
export async function activateSchedules(tx: Transaction, syncId: string, active: boolean): Promise<void> {
  const rows = await selectSchedules(tx).where('sync_id', '=', syncId).forUpdate().execute();
  const now = await databaseTime(tx);
  for (const { id, settings, nextRunAt } of rows.map(toSchedule)) {
    await tx
      .updateTable('schedules')
      .set({
        next_run_at: active ? (nextRunAt ?? firstTime(settings, now)) : null,
        run_after: active ? listed(settings) : [],
      })
      .where('id', '=', id)
      .execute();
  }
  await announceChange(tx);
}

/** An additional schedule without an id replaces one that says the same, so that it is not begun anew. */
function replaces(
  isDefault: boolean,
  draft: ScheduleDraft,
  current: Schedule,
  named: ReadonlySet<string | null | undefined>,
): boolean {
  if (isDefault || current.isDefault) return isDefault && current.isDefault;
  if (draft.id) return draft.id === current.id;
  return !named.has(current.id) && isDeepStrictEqual(current.settings, draft.settings);
}

function nextRun({ sync, settings, current, now }: Change): Date | string | null {
  if (!sync.active) return null;
  const kept = current !== undefined && isDeepStrictEqual(timeOf(current.settings), timeOf(settings));
  return (kept ? current.nextRunAt : null) ?? firstTime(settings, now);
}

/** The members that say when, without those that say what, or nothing. */
function timeOf({ run_after, run_after_success_only, note, ...timing }: ScheduleSettings) {
  return { ...readParts(timing), run_after, run_after_success_only, note };
}

function listed({ run_after: runAfter }: ScheduleSettings): string[] {
  return [...(runAfter?.sync_ids ?? []), ...(runAfter?.bulk_sync_ids ?? [])];
}

/** All times are the database's: servers and their clocks come and go. */
async function databaseTime(db: Database): Promise<Date> {
  const { rows } = await sql<{ now: string }>`select clock_timestamp() as now`.execute(db);
  return new Date(rows[0]?.now ?? Number.NaN);
}

async function announceChange(tx: Transaction): Promise<void> {
  await sql`select pg_notify(${scheduleChannel}, '')`.execute(tx);
}
