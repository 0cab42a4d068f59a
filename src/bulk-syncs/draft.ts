import { TidemarkError } from '../errors.ts';
import type { JsonObject } from '../lib/json.ts';
import { readTime } from '../lib/timestamp.ts';
import type { BulkSyncRequest } from '../schema/bulk-sync.ts';
import type { BulkSyncDraft, Discover } from './bulk-sync.ts';
import { checkStrangers } from './destination-settings.ts';
import { longestName } from './output-names.ts';

/**
 * The shape of a bulk sync changed with version 2025-09-18. `before-2025`: `schedule`, `discover`. `current`:
 * `default_schedule`, `additional_schedules`. `either`: a client that named no version may be one or the other.
 */
export type Generation = 'before-2025' | 'current' | 'either';

/** Reads a request of any generation, but for its schedules. @throws invalid_field */
export function draftBulkSync(request: BulkSyncRequest): BulkSyncDraft {
  const { schema } = request.destination_configuration;
  if (schema && Buffer.byteLength(schema) > longestName) {
    const reason = `is longer than ${longestName} bytes`;
    throw new TidemarkError('invalid_field', { field: 'destination_configuration.schema', reason });
  }
  checkStrangers(request.destination_configuration as JsonObject);
  const cutoff = request.data_cutoff_timestamp ?? null;
  if (cutoff !== null && readTime(cutoff) === undefined) {
    throw new TidemarkError('invalid_field', {
      field: 'data_cutoff_timestamp',
      reason: 'is no RFC 3339 time',
    });
  }
  return {
    name: request.name,
    mode: request.mode ?? 'replicate',
    active: request.active ?? false,
    sourceConnectionId: request.source_connection_id,
    destinationConnectionId: request.destination_connection_id,
    sourceConfiguration: (request.source_configuration ?? null) as JsonObject | null,
    destinationConfiguration: request.destination_configuration as JsonObject,
    addNewObjects: request.automatically_add_new_objects ?? discovered(request.discover),
    addNewFields: request.automatically_add_new_fields ?? 'all',
    normalizeNames: request.normalize_names ?? 'enabled',
    // Typed clients send 0 for a limit that is not set.
    concurrencyLimit: request.concurrency_limit || null,
    resyncConcurrencyLimit: request.resync_concurrency_limit || null,
    dataCutoffTimestamp: cutoff,
    disableRecordTimestamps: request.disable_record_timestamps ?? false,
    policies: request.policies ?? [],
  };
}

function discovered(discover: boolean | null | undefined): Discover {
  return discover ? 'all' : 'none';
}
