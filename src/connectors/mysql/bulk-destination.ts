import type { JsonObject } from '../../lib/json.ts';
import type { BulkDestination } from '../contract.ts';
import { findLive } from './bulk-live.ts';
import { beginLoad } from './bulk-load.ts';
import { positionOf } from './bulk-state.ts';
import { type Connect, withConnection } from './client.ts';
import { lostOrRefused } from './errors.ts';

/** What `destination_configuration` of a bulk sync may say; its `schema` is a database. */
const options: JsonObject = {
  schema: { default: null, items: null, required: true },
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

export function bulkDestination(connect: Connect): BulkDestination {
  return {
    formats: ['copy-text'],
    options,
    async position(target) {
      try {
        return await withConnection(connect, async (connection) => {
          return positionOf(connection, target, await findLive(connection, target));
        });
      } catch (error) {
        throw lostOrRefused(error);
      }
    },
    load: (output, plan) => beginLoad(connect, output, plan),
  };
}
