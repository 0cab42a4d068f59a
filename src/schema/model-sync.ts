import { type Static, Type } from 'typebox';
import { limits } from '../limits.ts';
import {
  anyValue,
  Constant,
  FieldName,
  Id,
  JsonObject,
  Label,
  Logic,
  Name,
  SchemaId,
  Secret,
  Word,
} from './bounded.ts';
import { filterFunctions } from './filter.ts';
import { Actor } from './model.ts';
import { ModelFilter, ModelFilters, Source, TargetFilters } from './model-sync-filters.ts';
import { optional } from './optional.ts';
import { Schedule } from './schedule.ts';
import { refused, withAnswered, withoutEffect } from './unread.ts';

export const modelSyncModes = [
  'create',
  'update',
  'updateOrCreate',
  'replace',
  'append',
  'remove',
  'snapshot',
] as const;

const SyncField = Type.Object({
  source: optional(Source),
  target: Type.String({ minLength: 1, maxLength: limits.texts.field.most }),
  sync_mode: optional(Word),
  new: optional(Type.Boolean()),
  encryption_enabled: optional(Type.Boolean()),
  override_value: optional(Constant),
});

const IdentityFunction = Type.Enum(['Equality', 'ISubstring', 'OneOf', 'DomainMatch', 'HostnameMatch']);

const Identity = Type.Object({
  source: Source,
  target: Type.String({ minLength: 1, maxLength: limits.texts.field.most }),
  function: IdentityFunction,
  new_field: optional(Type.Boolean()),
  remote_field_type_id: refused('the type of a new field follows from the field that is mapped to it'),
});

/** The newer form, which has room for several. */
const Identities = Type.Object({
  mappings: Type.Array(Identity, { maxItems: limits.lists.identities.most }),
  strategy: optional(Type.Enum(['priority', 'and'])),
});

const Target = Type.Object({
  connection_id: Id,
  object: optional(SchemaId),
  configuration: optional(JsonObject),
  create: optional(JsonObject),
  new_name: optional(Label),
  filter_logic: optional(Logic),
  search_values: withoutEffect('the server finds out what it needs to know of the target'),
});

/** `field_id` wins over `field`. */
const ModelOverride = Type.Object({
  field: optional(Source),
  field_id: optional({ ...FieldName, description: 'Name or id of a field.' }),
  function: { ...Word, description: filterFunctions.join(', ') },
  value: Type.Optional(anyValue({ description: 'What the function takes: see docs/filters.md.' })),
  override: Type.Optional(anyValue({ description: 'Sent instead of a value that fits; null for none.' })),
});
export type ModelOverride = Static<typeof ModelOverride>;

const MaxDeletes = Type.Union(
  [
    Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    Type.String({ pattern: '^([0-9]{1,15}|[0-9]{1,3}%|)$', maxLength: 15 }),
  ],
  {
    description:
      'An addition of Tidemark: how many rows of the target an execution of mode replace or remove may delete, as a number or as a share like "50%". Left out, it is half of a target with more than 100 rows.',
  },
);

const ModelSyncMembers = Type.Object({
  name: Name,
  mode: Type.Enum([...modelSyncModes]),
  fields: Type.Array(SyncField, { maxItems: limits.lists.fields.most }),
  target: Target,
  schedule: Schedule,
  active: optional(Type.Boolean()),
  /** The older form of `identities`. */
  identity: optional(Identity),
  identities: optional(Identities),
  sync_all_records: optional(Type.Boolean()),
  skip_initial_backfill: optional(Type.Boolean()),
  only_enrich_updates: optional(Type.Boolean()),
  max_deletes: optional(MaxDeletes),
  /** The older form of `model_filters` and `target_filters`, with `filter_logic` and `target.filter_logic`. */
  filters: optional(Type.Array(ModelFilter, { maxItems: limits.lists.filters.most })),
  filter_logic: optional(Logic),
  model_filters: optional(ModelFilters),
  target_filters: optional(TargetFilters),
  overrides: optional(Type.Array(ModelOverride, { maxItems: limits.lists.overrides.most })),
  override_fields: optional(Type.Array(SyncField, { maxItems: limits.lists.fields.most })),
  encryption_passphrase: optional(Secret),
  policies: refused('policies are not built: every user of the organization may use the sync'),
  organization_id: optional(Id),
});

/** What every answer about a sync has: `ListSyncItem` on the wire, since 2025-09-18. */
export const ModelSyncItem = Type.Object({
  id: Type.String(),
  organization_id: Type.String(),
  name: Type.String(),
  mode: Type.String(),
  active: Type.Boolean(),
  model_ids: Type.Array(Type.String()),
  target_connection_id: Type.String(),
  target_object: Type.String(),
  schedule: Schedule,
  sync_all_records: Type.Boolean(),
  skip_initial_backfill: Type.Boolean(),
  only_enrich_updates: Type.Boolean(),
  max_deletes: Type.Optional(Type.String()),
  created_at: Type.String(),
  created_by: Type.Optional(Actor),
  updated_at: Type.String(),
  updated_by: Type.Optional(Actor),
});
export type ModelSyncItem = Static<typeof ModelSyncItem>;

export const ModelSyncResponse = Type.Object({
  ...ModelSyncItem.properties,
  target: Type.Object({
    connection_id: Type.String(),
    object: Type.String(),
    configuration: JsonObject,
    filter_logic: Type.Optional(Type.String()),
    new_name: Type.Optional(Type.String()),
    create: Type.Optional(JsonObject),
  }),
  identity: Type.Optional(
    Type.Object({
      source: Source,
      target: Type.String(),
      function: IdentityFunction,
      new_field: Type.Optional(Type.Boolean()),
    }),
  ),
  fields: Type.Array(
    Type.Object({
      source: Source,
      target: Type.String(),
      sync_mode: Type.Optional(Type.String()),
      new: Type.Optional(Type.Boolean()),
      encryption_enabled: Type.Optional(Type.Boolean()),
      override_value: Type.Optional(Type.String()),
    }),
  ),
  identities: Type.Optional(Identities),
  filters: Type.Array(ModelFilter),
  filter_logic: Type.Optional(Type.String()),
  model_filters: Type.Optional(ModelFilters),
  target_filters: Type.Optional(TargetFilters),
  overrides: Type.Array(ModelOverride),
  override_fields: Type.Array(JsonObject),
  policies: Type.Array(Type.String()),
});
export type ModelSyncResponse = Static<typeof ModelSyncResponse>;

/** Body of create and update. An update replaces the whole sync. */
export const ModelSyncRequest = withAnswered(ModelSyncMembers, [
  ...Object.keys(ModelSyncResponse.properties),
  'problems',
]);
export type ModelSyncRequest = Static<typeof ModelSyncRequest>;

const SourceIdentity = Type.Object({ source: Source, value: Constant });

export const StartModelSyncRequest = Type.Object({
  /** Everything again, whatever the destination acknowledged before. */
  resync: optional(Type.Boolean()),
  /** A dry run: counts what would happen, sends nothing. */
  test: optional(Type.Boolean()),
  /** Only the records with one of these identity values. */
  identities: optional(Type.Array(Constant, { maxItems: limits.lists.records.most })),
  /** The newer form of `identities`: what identifies one record is a list, of one while a sync has one identity. */
  source_identities: optional(
    Type.Array(
      Type.Union([Type.Array(SourceIdentity, { maxItems: limits.lists.recordParts.most }), SourceIdentity]),
      { maxItems: 1000 },
    ),
  ),
});
export type StartModelSyncRequest = Static<typeof StartModelSyncRequest>;
