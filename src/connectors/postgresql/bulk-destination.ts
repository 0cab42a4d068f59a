import type { BulkDestination } from '../contract.ts';
import { tableOptions } from '../table-options.ts';
import { lostOrRefused } from './bulk-errors.ts';
import { rangedLoad } from './bulk-ranged-load.ts';
import type { Connect } from './bulk-source.ts';
import { readState } from './bulk-state.ts';
import { wholeLoad } from './bulk-whole-load.ts';
import { withReader } from './with-client.ts';

export function bulkDestination(connect: Connect): BulkDestination {
  return {
    formats: ['pg-binary', 'copy-text'],
    options: tableOptions('public'),
    async position(target) {
      try {
        const state = await withReader(connect, 'tidemark position', (client) => readState(client, target));
        return state?.position;
      } catch (error) {
        throw lostOrRefused(error);
      }
    },
    load: (output, plan) => (plan.ranged ? rangedLoad : wholeLoad)(connect, output, plan),
  };
}
