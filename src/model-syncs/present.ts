import type { ModelSyncItem, ModelSyncResponse } from '../schema/model-sync.ts';
import type { Filtering } from './filters.ts';
import type { ModelSync } from './model-sync.ts';
import { presentOverrides } from './overrides.ts';
import { presentFilters, presentNewerFilters } from './present-filters.ts';
import { sourceOf } from './synced-models.ts';
import { presentField } from './wording.ts';

/** The light form: what the list has had since 2025-09-18. */
export function presentItem(sync: ModelSync): ModelSyncItem {
  return {
    id: sync.id,
    organization_id: sync.organizationId,
    name: sync.name,
    mode: sync.modeName,
    active: sync.active,
    model_ids: sync.modelIds,
    target_connection_id: sync.target.connectionId,
    target_object: sync.target.object,
    schedule: sync.schedule,
    sync_all_records: sync.syncAllRecords,
    skip_initial_backfill: sync.wording?.skip_initial_backfill ?? sync.skipInitialBackfill,
    only_enrich_updates: sync.onlyEnrichUpdates,
    ...(sync.maxDeletes === null ? {} : { max_deletes: sync.maxDeletes }),
    created_at: sync.createdAt,
    updated_at: sync.updatedAt,
    ...(sync.createdBy === null ? {} : { created_by: sync.createdBy }),
    ...(sync.updatedBy === null ? {} : { updated_by: sync.updatedBy }),
  };
}

/** @param generation of the client: older ones send back what they do not know as it was, beside what they changed. */
export function presentModelSync(
  sync: ModelSync,
  generation: 'before-2025' | 'current' | 'either',
): ModelSyncResponse {
  const source = (field: string) => sourceOf(sync.modelId, field);
  const { connectionId, object, configuration } = sync.target;
  const { wording } = sync;
  const identity =
    sync.identity === null
      ? undefined
      : {
          source: source(sync.identity.field),
          target: sync.identity.target,
          function: sync.identity.function ?? ('Equality' as const),
          ...(wording?.new_field === undefined ? {} : { new_field: wording.new_field }),
        };
  return {
    ...presentItem(sync),
    target: {
      connection_id: connectionId,
      object,
      configuration,
      ...logicOf(sync.targetFiltering, wording?.sendsTargetLogic),
      ...wording?.target,
    },
    ...(identity === undefined ? {} : { identity }),
    ...(generation === 'before-2025' ? {} : newerForms(sync, identity)),
    // Constants are among the fields, whichever way they came.
    fields: sync.fields.map((field, index) =>
      presentField(
        field,
        field.field === undefined ? undefined : source(field.field),
        wording?.fields[index],
      ),
    ),
    filters: presentFilters(sync),
    ...logicOf(sync, wording?.sendsLogic),
    overrides: presentOverrides(sync.modelId, sync.overrides),
    override_fields: [],
    policies: [],
  };
}

/** What generation 25.9.10 has beside the older forms. */
function newerForms(sync: ModelSync, identity: ModelSyncResponse['identity']) {
  return {
    ...(identity === undefined
      ? {}
      : { identities: { mappings: [identity], strategy: 'priority' as const } }),
    ...presentNewerFilters(sync),
  };
}

/** None where none was sent: clients take an empty text that they did not send for a change. */
function logicOf(
  { filterLogic, sentLogic = filterLogic }: Filtering,
  sent: boolean | undefined,
): { filter_logic?: string } {
  return sentLogic === '' && sent === false ? {} : { filter_logic: sentLogic };
}
