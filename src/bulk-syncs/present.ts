import type { BulkSyncResponse } from '../schema/bulk-sync.ts';
import type { BulkSync } from './bulk-sync.ts';
import type { Generation } from './draft.ts';

/** Answers in the form of the caller's generation; one that named no version gets the members of both. */
export function presentBulkSync(sync: BulkSync, generation: Generation): BulkSyncResponse {
  return {
    id: sync.id,
    organization_id: sync.organizationId,
    name: sync.name,
    mode: sync.mode,
    active: sync.active,
    source_connection_id: sync.sourceConnectionId,
    source_configuration: sync.sourceConfiguration,
    destination_connection_id: sync.destinationConnectionId,
    destination_configuration: sync.destinationConfiguration,
    ...(generation === 'before-2025'
      ? {}
      : { default_schedule: sync.defaultSchedule, additional_schedules: sync.additionalSchedules }),
    ...(generation === 'current'
      ? {}
      : { schedule: withoutId(sync.defaultSchedule), discover: sync.addNewObjects !== 'none' }),
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

/** A schedule had no id of its own then. */
function withoutId(schedule: BulkSync['defaultSchedule']) {
  const { id: _id, ...rest } = schedule;
  return rest;
}
