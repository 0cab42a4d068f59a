import type { BulkDestination } from '../contract.ts';
import { tableOptions } from '../table-options.ts';
import { findLive } from './bulk-live.ts';
import { beginLoad } from './bulk-load.ts';
import { standingOf } from './bulk-standing.ts';
import { type Connect, withConnection } from './client.ts';
import { lostOrRefused } from './errors.ts';

export function bulkDestination(connect: Connect): BulkDestination {
  return {
    formats: ['copy-text'],
    // A schema is a database there.
    options: tableOptions(null),
    async standing(target) {
      try {
        return await withConnection(connect, async (connection) =>
          standingOf(connection, target, await findLive(connection, target)),
        );
      } catch (error) {
        throw lostOrRefused(error);
      }
    },
    load: (output, plan) => beginLoad(connect, output, plan),
  };
}
