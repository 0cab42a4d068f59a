import type { JsonObject } from '../lib/json.ts';

/**
 * What `destination_configuration` of a bulk sync into tables of a database may say, as the API publishes it.
 *
 * @param schema where tables go unless the sync says otherwise; null: it has to.
 */
export function tableOptions(schema: string | null): JsonObject {
  return {
    schema: { default: schema, items: null, required: true },
    mirror_schemas: { default: false, items: null, required: false },
    adopt: { default: false, items: null, required: false },
    overwrite: { default: false, items: null, required: false },
    advanced: {
      default: null,
      required: false,
      items: {
        table_prefix: { default: '', items: null, required: false },
        truncate_existing: { default: false, items: null, required: false },
        lookback_minutes: { default: 0, items: null, required: false },
        hard_deletes: { default: false, items: null, required: false },
        record_column_prefix: { default: '_tidemark_', items: null, required: false },
      },
    },
  };
}
