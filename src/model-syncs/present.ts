import type { ModelSyncItem, ModelSyncResponse } from '../schema/model-sync.ts';
import type { ModelSync } from './model-sync.ts';
import { presentOverrides } from './overrides.ts';
import { presentFilters, presentNewerFilters } from './present-filters.ts';
import { sourceOf } from './synced-models.ts';

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
    skip_initial_backfill: sync.skipInitialBackfill,
    only_enrich_updates: sync.onlyEnrichUpdates,
    ...(sync.maxDeletes === null ? {} : { max_deletes: sync.maxDeletes }),
    created_at: sync.createdAt,
    updated_at: sync.updatedAt,
    ...(sync.createdBy === null ? {} : { created_by: sync.createdBy }),
    ...(sync.updatedBy === null ? {} : { updated_by: sync.updatedBy }),
  };
}

/** What clients expect of a constant. */
const noSource = { model_id: '00000000-0000-0000-0000-000000000000', field: '' };

/** @param generation of the client: older ones send back what they do not know as it was, beside what they changed. */
export function presentModelSync(
  sync: ModelSync,
  generation: 'before-2025' | 'current' | 'either',
): ModelSyncResponse {
  const source = (field: string) => sourceOf(sync.modelId, field);
  const { connectionId, object, configuration } = sync.target;
  const identity =
    sync.identity === null
      ? undefined
      : {
          source: source(sync.identity.field),
          target: sync.identity.target,
          function: sync.identity.function ?? ('Equality' as const),
          new_field: false,
        };
  return {
    ...presentItem(sync),
    target: {
      connection_id: connectionId,
      object,
      configuration,
      filter_logic: sync.targetFiltering.sentLogic ?? sync.targetFiltering.filterLogic,
    },
    ...(identity === undefined ? {} : { identity }),
    ...(generation === 'before-2025' ? {} : newerForms(sync, identity)),
    // Constants are among the fields, whichever way they came.
    fields: sync.fields.map((field) => ({
      source: field.field === undefined ? noSource : source(field.field),
      target: field.target,
      sync_mode: field.createOnly ? 'create' : 'updateOrCreate',
      new: false,
      encryption_enabled: field.encrypted === true,
      ...(field.constant === undefined ? {} : { override_value: field.constant }),
    })),
    filters: presentFilters(sync),
    filter_logic: sync.sentLogic ?? sync.filterLogic,
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
