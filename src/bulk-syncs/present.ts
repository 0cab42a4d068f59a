import type { Database } from '../db/index.ts';
import { type Schedule, schedulesOf } from '../schedules/index.ts';
import type { BulkScheduleResponse } from '../schema/bulk-schedule.ts';
import type { BulkSyncResponse } from '../schema/bulk-sync.ts';
import type { BulkSync } from './bulk-sync.ts';
import type { Generation } from './draft.ts';

/** Answers in the form of the caller's generation; one that named no version gets the members of both. */
export async function presentBulkSync(
  db: Database,
  sync: BulkSync,
  generation: Generation,
): Promise<BulkSyncResponse> {
  const schedules = await schedulesOf(db, [sync.id]);
  return presentWithSchedules(sync, schedules.get(sync.id) ?? [], generation);
}

export async function presentBulkSyncs(
  db: Database,
  syncs: readonly BulkSync[],
  generation: Generation,
): Promise<BulkSyncResponse[]> {
  const ids = syncs.map(({ id }) => id);
  const schedules = await schedulesOf(db, ids);
  return syncs.map((sync) => presentWithSchedules(sync, schedules.get(sync.id) ?? [], generation));
}

export function presentWithSchedules(
  sync: BulkSync,
  schedules: readonly Schedule[],
  generation: Generation,
): BulkSyncResponse {
  const [first, ...additional] = schedules;
  return {
    id: sync.id,
    organization_id: sync.organizationId,
    name: sync.name,
    mode: sync.mode,
    active: sync.active,
    source_connection_id: sync.sourceConnectionId,
    ...(sync.sourceConfiguration === null ? {} : { source_configuration: sync.sourceConfiguration }),
    destination_connection_id: sync.destinationConnectionId,
    destination_configuration: sync.destinationConfiguration,
    ...(generation === 'before-2025'
      ? {}
      : {
          ...(first === undefined ? {} : { default_schedule: presentSchedule(first) }),
          additional_schedules: additional.map(presentSchedule),
        }),
    ...(generation === 'current'
      ? {}
      : { schedule: first?.settings ?? {}, discover: sync.addNewObjects !== 'none' }),
    automatically_add_new_objects: sync.addNewObjects,
    automatically_add_new_fields: sync.addNewFields,
    normalize_names: sync.normalizeNames,
    concurrency_limit: sync.concurrencyLimit,
    resync_concurrency_limit: sync.resyncConcurrencyLimit,
    data_cutoff_timestamp: sync.dataCutoffTimestamp,
    disable_record_timestamps: sync.disableRecordTimestamps,
    policies: sync.policies,
    created_at: sync.createdAt,
    updated_at: sync.updatedAt,
    ...(sync.createdBy === null ? {} : { created_by: sync.createdBy }),
    ...(sync.updatedBy === null ? {} : { updated_by: sync.updatedBy }),
  };
}

function presentSchedule(schedule: Schedule): BulkScheduleResponse {
  const { id, settings, createdAt, createdBy, updatedAt, updatedBy } = schedule;
  return {
    id,
    ...settings,
    created_at: createdAt,
    updated_at: updatedAt,
    ...(createdBy === null ? {} : { created_by: createdBy }),
    ...(updatedBy === null ? {} : { updated_by: updatedBy }),
  };
}
