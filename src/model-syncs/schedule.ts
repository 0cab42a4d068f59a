import type { Database } from '../db/index.ts';
import { TidemarkError } from '../errors.ts';
import { isUuid } from '../lib/uuid.ts';
import { checkTiming, type ScheduleSettings, startsAfter } from '../schedules/index.ts';
import type { Schedule } from '../schema/schedule.ts';

/**
 * Reads the schedule of a request.
 *
 * @param syncId of the sync that is being changed; undefined for a new one.
 * @throws invalid_field
 */
export async function draftSchedule(
  db: Database,
  organizationId: string,
  request: Schedule,
  syncId: string | undefined,
): Promise<ScheduleSettings> {
  const timing = checkTiming(request, (member) => `schedule.${member}`, ['runafter']);
  const { run_after_success_only: successOnly } = request;
  // Says nothing without `runafter`, and is answered as it was sent.
  const sent = successOnly == null ? {} : { run_after_success_only: successOnly };
  if (timing.frequency !== 'runafter') return { ...timing, ...sent };
  const { sync_ids: models, bulk_sync_ids: bulks } = request.run_after ?? {};
  if ((models ?? []).length + (bulks ?? []).length === 0) {
    throw invalid('run_after', 'is needed for runafter: name a sync in sync_ids or bulk_sync_ids');
  }
  await checkExist(db, 'model_syncs', organizationId, 'sync_ids', models ?? []);
  await checkExist(db, 'bulk_syncs', organizationId, 'bulk_sync_ids', bulks ?? []);
  if (syncId !== undefined && (await startsAfter(db, models ?? [], syncId))) {
    throw invalid('run_after.sync_ids', 'come back to this sync, which would then start itself for ever');
  }
  // A list that was left out stays away from the answer, and an empty one is there.
  const runAfter = { ...(models ? { sync_ids: models } : {}), ...(bulks ? { bulk_sync_ids: bulks } : {}) };
  return { ...timing, run_after: runAfter, run_after_success_only: successOnly ?? false };
}

/** Bulk syncs are another room's, above no other: a look at its table is all that is needed of it here. */
async function checkExist(
  db: Database,
  table: 'model_syncs' | 'bulk_syncs',
  organizationId: string,
  member: 'sync_ids' | 'bulk_sync_ids',
  ids: readonly string[],
): Promise<void> {
  const uuids = ids.filter(isUuid);
  const rows =
    uuids.length === 0
      ? []
      : await db
          .selectFrom(table)
          .select('id')
          .where('organization_id', '=', organizationId)
          .where('id', 'in', uuids)
          .execute();
  const known = new Set(rows.map((row) => row.id));
  const missing = ids.find((id) => !known.has(id.toLowerCase()));
  if (missing === undefined) return;
  const kind = table === 'model_syncs' ? 'model sync' : 'bulk sync';
  throw invalid(`run_after.${member}`, `no ${kind} with id ${missing} exists`);
}

function invalid(member: string, reason: string): TidemarkError {
  return new TidemarkError('invalid_field', { field: `schedule.${member}`, reason });
}
