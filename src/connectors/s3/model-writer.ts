import type { ModelWriter } from '../contract.ts';
import type { ModelTable } from './model-table.ts';
import { mergedColumns } from './output-columns.ts';
import { tidyTable } from './tidy-table.ts';

/** A file each. */
export const batchSize = 20_000;

/** Files that the manifest names itself: it is read and written with every batch. The others are in lists. */
const mostFiles = 500;

/**
 * Adds each batch to the table's files: one more, which the manifest names from then on. When it names enough they become a
 * list, and what comes after goes to the next folder.
 */
export function appendWriter(table: ModelTable, most = mostFiles): ModelWriter {
  let isTidy = false;
  return {
    batchSize,
    async write(records, prepared) {
      const live = await table.live();
      const { files = [], lists = [] } = live?.manifest ?? {};
      const isFull = files.length >= most;
      // Before there is a manifest, what is there may be another sync's, which is about to write the first.
      if (live !== undefined && (!isTidy || isFull)) {
        await tidyTable(table, live.manifest);
        isTidy = true;
      }
      const token = crypto.randomUUID();
      const place = isFull ? lists.length + 1 : lists.length;
      const columns = live === undefined ? table.incoming : mergedColumns(live.manifest, table.incoming);
      const added = await table.storeRecords(`${place}/${token}`, 'part', records, columns);
      await prepared(
        token,
        records.map(() => ({ status: 'inserted' })),
      );
      const contents = isFull
        ? { files: added, lists: [...lists, await table.list(files)] }
        : { files: [...files, ...added], lists };
      await table.commit(token, contents, columns, live);
      return records.map(() => ({ status: 'inserted' }));
    },
    outcome: (token) => table.outcome(token),
  };
}
