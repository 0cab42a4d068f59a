import type { JsonObject } from '../../lib/json.ts';

/** What `destination_configuration` of a bulk sync may say, as the API publishes it. */
export const destinationOptions: JsonObject = {
  schema: { default: 'public', items: null, required: true },
  mirror_schemas: { default: false, items: null, required: false },
  advanced: {
    default: null,
    required: false,
    items: {
      table_prefix: { default: '', items: null, required: false },
      truncate_existing: { default: false, items: null, required: false },
      hard_deletes: { default: false, items: null, required: false },
      record_column_prefix: { default: '_tidemark_', items: null, required: false },
    },
  },
};
