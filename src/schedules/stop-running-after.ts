import { sql } from 'kysely';
import type { Database } from '../db/index.ts';
import type { Use } from '../errors.ts';
import type { ScheduleSettings } from './schedule.ts';
import { selectSchedules, toSchedule } from './store.ts';

/** The syncs that start after this one, whether they are active or not. */
export async function syncsRunningAfter(
  db: Database,
  organizationId: string,
  syncId: string,
): Promise<string[]> {
  const rows = await namedIn(db, organizationId, syncId).execute();
  return [...new Set(rows.map((row) => row.sync_id))];
}

/**
 * Takes a sync that was deleted out of the schedules that name it. One that has nothing left to run after does not start
 * by itself any more, and its note says why; its sync stays as it is.
 */
export async function stopRunningAfter(db: Database, organizationId: string, gone: Use): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const rows = await namedIn(tx, organizationId, gone.id).forUpdate().execute();
    for (const { id, settings } of rows.map(toSchedule)) {
      const changed = without(settings, gone);
      const left = namesOf(changed);
      await tx
        .updateTable('schedules')
        .set((where) => ({
          settings: JSON.stringify(changed),
          updated_at: where.fn<string>('now'),
          // Empty while its sync is not active.
          run_after: where.fn<string[]>('array_remove', [
            'run_after',
            where.cast<string>(where.val(gone.id), 'uuid'),
          ]),
          ...(left.length === 0 ? { next_run_at: null } : {}),
        }))
        .where('id', '=', id)
        .execute();
    }
  });
}

/** `run_after` of a schedule is empty while its sync is not active, so its settings are asked. */
function namedIn(db: Database, organizationId: string, syncId: string) {
  return selectSchedules(db)
    .where('organization_id', '=', organizationId)
    .where(
      // Ids are kept as they were sent, in either case.
      sql<boolean>`lower(settings ->> 'run_after')::jsonb @? ${`$.*[*] ? (@ == "${syncId}")`}::jsonpath`,
    );
}

function without(settings: ScheduleSettings, { type, name, id }: Use): ScheduleSettings {
  const { sync_ids: models, bulk_sync_ids: bulks } = settings.run_after ?? {};
  const keep = (ids: string[] | undefined) => ids?.filter((one) => one.toLowerCase() !== id);
  const runAfter = {
    ...(models === undefined ? {} : { sync_ids: keep(models) ?? [] }),
    ...(bulks === undefined ? {} : { bulk_sync_ids: keep(bulks) ?? [] }),
  };
  const note = `It ran after the ${type.replace('_', ' ')} ${name}, which was deleted.`;
  const changed = { ...settings, run_after: runAfter, note };
  if (namesOf(changed).length > 0) return changed;
  return { frequency: 'manual', note: `${note} It does not start by itself until it gets another schedule.` };
}

function namesOf({ run_after: runAfter }: ScheduleSettings): string[] {
  const listed = [...(runAfter?.sync_ids ?? []), ...(runAfter?.bulk_sync_ids ?? [])];
  return listed.map((id) => id.toLowerCase());
}
