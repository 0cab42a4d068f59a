import { createBulkSync, startBulkSync } from '../../src/bulk-syncs/index.ts';
import type { BulkSyncRequest } from '../../src/schema/bulk-sync.ts';
import type { BulkHarness } from './bulk-syncs.ts';
import { testDatabase } from './database.ts';

/**
 * Makes syncs between two databases of their own, whose source has been filled with `sql`. Unless the request says
 * otherwise they add no columns of Tidemark's, so that copies can be compared as they are.
 */
export function bulkSyncs(harness: BulkHarness) {
  return async function syncOf(sql: string, request: Partial<BulkSyncRequest> = {}) {
    const [source, destination] = [await testDatabase(), await testDatabase()];
    await source.query(sql);
    const body: BulkSyncRequest = {
      name: 'copy',
      source_connection_id: await harness.connect(source),
      destination_connection_id: await harness.connect(destination),
      destination_configuration: { schema: 'copy', advanced: { hard_deletes: true } },
      disable_record_timestamps: true,
      ...request,
    };
    const { organizationId, actor } = harness;
    const sync = await createBulkSync(harness, organizationId, actor, body, 'either');
    const start = (options = {}) => startBulkSync(harness, organizationId, sync.id, options);
    const run = async (options = {}) => {
      const execution = await start(options);
      return harness.run(execution.id);
    };
    return { source, destination, sync, body, start, run };
  };
}
