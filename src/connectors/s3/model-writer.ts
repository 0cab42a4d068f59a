import type { ModelWriter } from '../contract.ts';
import type { ModelTable } from './model-table.ts';
import { mergedColumns } from './output-columns.ts';
import { removeBelow } from './tidy.ts';

/** A file each. */
export const batchSize = 20_000;

/** Adds each batch to the table's files: one more, which the manifest names from then on. */
export function appendWriter(table: ModelTable): ModelWriter {
  let tidy = false;
  return {
    batchSize,
    async write(records, prepared) {
      const live = await table.live();
      const before = live?.manifest.files ?? [];
      // Before there is a manifest, what is there may be another sync's, which is about to write the first.
      if (!tidy && live !== undefined) {
        // What workers have left that were killed before they committed it.
        const known = new Set(before.map(({ path }) => `${table.folder}${path}`));
        await removeBelow(table.store, `${table.folder}data/`, known);
        tidy = true;
      }
      const token = crypto.randomUUID();
      const columns = live === undefined ? table.incoming : mergedColumns(live.manifest, table.incoming);
      const files = await table.storeRecords(token, 'part', records, columns);
      await prepared(
        token,
        records.map(() => ({ status: 'inserted' })),
      );
      await table.commit(token, [...before, ...files], columns, live);
      return records.map(() => ({ status: 'inserted' }));
    },
    outcome: (token) => table.outcome(token),
  };
}
