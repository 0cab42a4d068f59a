import { type Static, Type } from 'typebox';
import { limits } from '../limits.ts';
import { anyValue, FieldName, Id, JsonObject, Label, Name, SchemaId, Timestamp, Word } from './bounded.ts';
import { AdditionalBulkSchedule, BulkSchedule, BulkScheduleResponse, resyncModes } from './bulk-schedule.ts';
import { filterFunctions } from './filter.ts';
import { Actor } from './model.ts';
import { optional } from './optional.ts';
import { refused, withAnswered } from './unread.ts';

const bulkSyncModes = ['replicate', 'snapshot'] as const;
export const discoverModes = ['all', 'onlyIncremental', 'onlyNonIncremental', 'none'] as const;
export const normalizeModes = ['enabled', 'disabled', 'legacy'] as const;

export const BulkFilter = Type.Object({
  field_id: optional(FieldName),
  function: { ...Word, description: filterFunctions.join(', ') },
  value: Type.Optional(anyValue({ description: 'What the function takes: see docs/filters.md.' })),
});
export type BulkFilter = Static<typeof BulkFilter>;

/** A field as a request names it: by its id alone, or with what is wanted of it. */
const FieldChoice = Type.Union([
  FieldName,
  Type.Object({
    id: FieldName,
    enabled: optional(Type.Boolean()),
    /** `obfuscate` when a sync is created, `obfuscated` when its schemas are changed. */
    obfuscate: optional(Type.Boolean()),
    obfuscated: optional(Type.Boolean()),
    user_output_name: optional(Label),
    /** As it was answered: `user_output_name` changes it. */
    output_name: optional(FieldName),
  }),
]);

/** What can be set of one schema of a bulk sync. */
export const BulkSchemaSettings = Type.Object({
  enabled: optional(Type.Boolean()),
  fields: optional(Type.Array(FieldChoice, { maxItems: limits.lists.fields.most })),
  filters: optional(Type.Array(BulkFilter, { maxItems: limits.lists.filters.most })),
  tracking_field: optional(FieldName),
  partition_key: optional(FieldName),
  user_output_name: optional(Label),
  data_cutoff_timestamp: optional(Timestamp),
  disable_data_cutoff: optional(Type.Boolean()),
  /** As it was answered: `user_output_name` changes it. */
  output_name: optional(FieldName),
  history_enabled: refused(
    'keeping every version of a row takes change streams, which are not built: leave it out or false',
  ),
  destination_history_output_name: Type.Optional(Type.Unknown({ readOnly: true })),
});
export type BulkSchemaSettings = Static<typeof BulkSchemaSettings>;

export const BulkSchemaChoice = Type.Object({ id: SchemaId, ...BulkSchemaSettings.properties });

/** A destination may have more options of its own: see `BulkDestination.options`. */
const DestinationConfiguration = Type.Object({
  schema: optional(SchemaId),
  mirror_schemas: optional(Type.Boolean()),
  /** Of files. */
  subfolder: optional(Type.String({ maxLength: 255 })),
  format: optional(Word),
  latest: optional(Type.Boolean()),
  /** What becomes of a table that this sync did not make: written into, or dropped. Neither: the schema fails. */
  adopt: optional(Type.Boolean()),
  overwrite: optional(Type.Boolean()),
  advanced: optional(
    Type.Object({
      table_prefix: optional(Type.String({ maxLength: 40 })),
      truncate_existing: optional(Type.Boolean()),
      hard_deletes: optional(Type.Boolean()),
      /** How far below the last position of a tracking field rows are read again. */
      lookback_minutes: optional(Type.Integer({ minimum: 0, maximum: 525_600 })),
      /** In front of `synced_at` and `deleted_at`. */
      record_column_prefix: optional(Type.String({ maxLength: 40 })),
    }),
  ),
});

const BulkSyncMembers = Type.Object({
  name: Name,
  source_connection_id: Id,
  destination_connection_id: Id,
  mode: optional(Type.Enum([...bulkSyncModes])),
  active: optional(Type.Boolean()),
  source_configuration: optional(JsonObject),
  destination_configuration: DestinationConfiguration,
  schemas: optional(
    Type.Array(Type.Union([SchemaId, BulkSchemaChoice]), { maxItems: limits.lists.schemas.most }),
  ),
  default_schedule: optional(BulkSchedule),
  additional_schedules: optional(
    Type.Array(AdditionalBulkSchedule, { maxItems: limits.lists.schedules.most }),
  ),
  /** Before 2025-09-18. */
  schedule: optional(BulkSchedule),
  /** Before 2025-09-18: `automatically_add_new_objects` all or none. */
  discover: optional(Type.Boolean()),
  automatically_add_new_objects: optional(Type.Enum([...discoverModes])),
  automatically_add_new_fields: optional(Type.Enum([...discoverModes])),
  normalize_names: optional(Type.Enum([...normalizeModes])),
  concurrency_limit: optional(Type.Integer({ minimum: 0, maximum: 64 })),
  resync_concurrency_limit: optional(Type.Integer({ minimum: 0, maximum: 64 })),
  data_cutoff_timestamp: optional(Timestamp),
  disable_record_timestamps: optional(Type.Boolean()),
  policies: optional(Type.Array(Id, { maxItems: limits.lists.policies.most })),
  organization_id: optional(Id),
});

/** Members that a generation of clients does not know are absent: see src/bulk-syncs/present.ts. */
export const BulkSyncResponse = Type.Object({
  id: Type.String(),
  organization_id: Type.String(),
  name: Type.String(),
  mode: Type.Enum([...bulkSyncModes]),
  active: Type.Boolean(),
  source_connection_id: Type.String(),
  source_configuration: Type.Optional(JsonObject),
  destination_connection_id: Type.String(),
  destination_configuration: JsonObject,
  default_schedule: Type.Optional(BulkScheduleResponse),
  additional_schedules: Type.Optional(Type.Array(BulkScheduleResponse)),
  schedule: Type.Optional(BulkSchedule),
  discover: Type.Optional(Type.Boolean()),
  automatically_add_new_objects: Type.Enum([...discoverModes]),
  automatically_add_new_fields: Type.Enum([...discoverModes]),
  normalize_names: Type.Enum([...normalizeModes]),
  concurrency_limit: Type.Union([Type.Integer(), Type.Null()]),
  resync_concurrency_limit: Type.Union([Type.Integer(), Type.Null()]),
  data_cutoff_timestamp: Type.Union([Type.String(), Type.Null()]),
  disable_record_timestamps: Type.Boolean(),
  policies: Type.Array(Type.String()),
  created_at: Type.String(),
  created_by: Type.Optional(Actor),
  updated_at: Type.String(),
  updated_by: Type.Optional(Actor),
});
export type BulkSyncResponse = Static<typeof BulkSyncResponse>;

/**
 * Body of create and update, of both generations of clients. An update replaces everything; of `schemas` it changes what
 * is said of them, and turns off those that a list leaves out.
 */
export const BulkSyncRequest = withAnswered(BulkSyncMembers, Object.keys(BulkSyncResponse.properties));
export type BulkSyncRequest = Static<typeof BulkSyncRequest>;

export const StartBulkSyncRequest = Type.Object({
  schemas: optional(Type.Array(SchemaId, { maxItems: limits.lists.schemas.most })),
  test: optional(Type.Boolean()),
  resync_mode: optional(Type.Enum([...resyncModes])),
  /** Before 2025-09-18: `resync_mode` rebuild. */
  resync: optional(Type.Boolean()),
  fetch_mode: optional(Type.Enum(['none', 'incremental', 'full'])),
});
export type StartBulkSyncRequest = Static<typeof StartBulkSyncRequest>;
