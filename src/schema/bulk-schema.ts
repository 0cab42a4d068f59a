import { type Static, Type } from 'typebox';
import { limits } from '../limits.ts';
import { BulkFilter, BulkSchemaChoice } from './bulk-sync.ts';

/** One schema of a bulk sync as the list shows it. */
export const BulkSchemaItem = Type.Object({
  id: Type.String(),
  enabled: Type.Boolean(),
  /** Name in the destination, after the naming rules. */
  output_name: Type.String(),
  user_output_name: Type.String(),
  tracking_field: Type.String(),
  partition_key: Type.String(),
  data_cutoff_timestamp: Type.Union([Type.String(), Type.Null()]),
  disable_data_cutoff: Type.Boolean(),
});
export type BulkSchemaItem = Static<typeof BulkSchemaItem>;

const BulkField = Type.Object({
  id: Type.String(),
  enabled: Type.Boolean(),
  obfuscated: Type.Boolean(),
  output_name: Type.String(),
  user_output_name: Type.String(),
});
export const BulkSchema = Type.Object({
  ...BulkSchemaItem.properties,
  fields: Type.Array(BulkField),
  filters: Type.Array(BulkFilter),
});
export type BulkSchema = Static<typeof BulkSchema>;

/** Changes the listed schemas; the others stay as they are. */
export const PatchBulkSchemasRequest = Type.Object({
  schemas: Type.Optional(Type.Array(BulkSchemaChoice, { maxItems: limits.lists.schemas.most })),
});
export type PatchBulkSchemasRequest = Static<typeof PatchBulkSchemasRequest>;
