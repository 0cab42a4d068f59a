import { type CopyRow, decodeCopyText } from '../../lib/copy-text.ts';
import { recordJson } from '../../lib/pg-text.ts';
import type { Catalogue } from '../contract.ts';
import { sampled } from '../sampled.ts';
import { type FileColumn, type FileTable, type FileTables, fieldOf } from './file-table.ts';
import { WarningCounts } from './warning-counts.ts';

export function catalogue(tables: FileTables): Catalogue {
  return {
    schemas: () => tables.schemas(),
    async records(schemaId, limit) {
      const table = await tables.open(schemaId);
      const fields = table.columns.map(fieldOf);
      return (await sampleOf(table, table.columns, limit)).map((values) => recordJson(fields, values));
    },
  };
}

/** The first rows of a table. */
export async function sampleOf(
  table: FileTable,
  columns: readonly FileColumn[],
  limit: number,
): Promise<CopyRow[]> {
  const found: CopyRow[] = [];
  for await (const rows of decodeCopyText(sampled(table.read(columns, { warnings: new WarningCounts() })))) {
    for (const row of rows) {
      if (found.length >= limit) return found;
      found.push(row);
    }
  }
  return found;
}
