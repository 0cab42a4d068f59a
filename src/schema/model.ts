import { type Static, Type } from 'typebox';
import { limits } from '../limits.ts';
import {
  anyValue,
  Example,
  FieldName,
  Id,
  JsonObject,
  Label,
  ModelConfiguration,
  Name,
  Word,
} from './bounded.ts';
import { refused, withAnswered } from './unread.ts';

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Optional(Type.Union([schema, Type.Null()]));

export const Actor = Type.Object({ id: Type.String(), name: Type.String(), type: Type.String() });

/** `ModelModelFieldRequest` on the wire. */
export const AdditionalFieldRequest = Type.Object({
  name: Type.String({ minLength: 1, maxLength: limits.texts.field.most }),
  label: Label,
  type: Word,
  example: nullable(Example),
});
export type AdditionalFieldRequest = Static<typeof AdditionalFieldRequest>;

const Relation = Type.Object({
  from: FieldName,
  to: Type.Object({ model_id: Id, field: FieldName }),
});

/** What answers say of a field beyond what can be said of one. */
const fieldAnswered = [
  'id',
  'remote_type',
  'user_added',
  'description',
  'unique',
  'created_at',
  'created_by',
  'updated_at',
];

/** A field or label as an answer has it. */
const AnsweredField = withAnswered(
  Type.Object({
    name: FieldName,
    label: Type.Optional(Label),
    type: Type.Optional(Word),
    example: Type.Optional(anyValue()),
    user_added: Type.Optional(Type.Boolean()),
  }),
  fieldAnswered,
);

/** `Enrichment` on the wire. */
export const EnrichmentRequest = Type.Object({
  connection_id: Type.Optional(Id),
  configuration: nullable(JsonObject),
  /** Field of the model → input of the connection. */
  mappings: Type.Optional(
    Type.Record(Type.String(), FieldName, { maxProperties: limits.lists.fewFields.most }),
  ),
  /** Places in the answer; without them the whole answer is one field, `response`. */
  fields: nullable(
    Type.Array(
      withAnswered(
        Type.Object({
          name: Type.Optional(FieldName),
          label: Type.Optional(Label),
          type: Type.Optional(Word),
          example: Type.Optional(anyValue()),
        }),
        fieldAnswered,
      ),
      { maxItems: limits.lists.additionalFields.most },
    ),
  ),
  enricher_id: nullable(Id),
});
export type EnrichmentRequest = Static<typeof EnrichmentRequest>;

const ModelMembers = Type.Object({
  name: Name,
  connection_id: Id,
  configuration: ModelConfiguration,
  /** Names of the fields to keep; without them all are kept. Answers have objects, and clients send back what they read. */
  fields: nullable(
    Type.Array(Type.Union([FieldName, AnsweredField]), { maxItems: limits.lists.fields.most }),
  ),
  identifier: nullable(FieldName),
  labels: nullable(
    Type.Array(Type.Union([Label, Type.Object({ name: Label })]), { maxItems: limits.lists.fields.most }),
  ),
  tracking_columns: nullable(Type.Array(FieldName, { maxItems: limits.lists.fewFields.most })),
  /** Places in the JSON of other fields. */
  additional_fields: nullable(
    Type.Array(AdditionalFieldRequest, { maxItems: limits.lists.additionalFields.most }),
  ),
  /** Fields are read from the source again with every request. */
  refresh: Type.Optional(Type.Boolean()),
  /** Where a value of `from` is found again: then a sync of this model may use the fields of that one. */
  relations: nullable(Type.Array(Relation, { maxItems: limits.lists.relations.most })),
  /** Where more about a record is looked up. */
  enricher: nullable(EnrichmentRequest),
  policies: refused('policies are not built: every user of the organization may use the model'),
  organization_id: nullable(Id),
});

export const ModelField = Type.Object({
  id: Type.String(),
  name: Type.String(),
  label: Type.String(),
  type: Type.String(),
  remote_type: Type.String(),
  user_added: Type.Boolean(),
  example: Type.Optional(Type.String()),
});
export type ModelField = Static<typeof ModelField>;

export const ModelResponse = Type.Object({
  /** Absent in a preview: nothing was stored. */
  id: Type.Optional(Type.String()),
  organization_id: Type.String(),
  connection_id: Type.String(),
  type: Type.String(),
  name: Type.String(),
  configuration: JsonObject,
  identifier: Type.String(),
  fields: Type.Array(ModelField),
  labels: Type.Array(Type.Object({ name: Type.String() })),
  tracking_columns: Type.Array(Type.String()),
  relations: Type.Array(Relation),
  enricher: Type.Optional(
    Type.Object({
      enricher_id: Type.String(),
      connection_id: Type.String(),
      configuration: JsonObject,
      mappings: Type.Record(Type.String(), Type.String()),
      fields: Type.Array(ModelField),
    }),
  ),
  policies: Type.Array(Type.String()),
  version: Type.Integer(),
  created_at: Type.Optional(Type.String()),
  created_by: Type.Optional(Actor),
  updated_at: Type.Optional(Type.String()),
  updated_by: Type.Optional(Actor),
});
export type ModelResponse = Static<typeof ModelResponse>;

/** Body of create, update and preview. An update replaces the whole model. */
export const ModelRequest = withAnswered(ModelMembers, Object.keys(ModelResponse.properties));
export type ModelRequest = Static<typeof ModelRequest>;

/** Each record is keyed by the model it belongs to: with relations there will be several. */
export const ModelSample = Type.Object({
  records: Type.Array(Type.Record(Type.String(), JsonObject)),
  warnings: Type.Array(Type.String()),
});
