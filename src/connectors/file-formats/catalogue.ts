import { decodeCopyText } from '../../lib/copy-text.ts';
import type { JsonObject } from '../../lib/json.ts';
import { jsonText } from '../../lib/pg-text.ts';
import type { Catalogue } from '../contract.ts';
import { type FileColumn, type FileTable, type FileTables, fieldOf } from './file-table.ts';
import { WarningCounts } from './warning-counts.ts';

export function catalogue(tables: FileTables): Catalogue {
  return {
    schemas: () => tables.schemas(),
    async records(schemaId, limit) {
      const table = await tables.open(schemaId);
      return sampleOf(table, table.columns, limit);
    },
  };
}

/** The first records of a table, as people look at them. */
export async function sampleOf(
  table: FileTable,
  columns: readonly FileColumn[],
  limit: number,
): Promise<JsonObject[]> {
  const fields = columns.map(fieldOf);
  const records: JsonObject[] = [];
  for await (const rows of decodeCopyText(table.read(columns, { warnings: new WarningCounts() }))) {
    for (const row of rows) {
      if (records.length >= limit) return records;
      const members = fields.map(
        (field, index) => `${JSON.stringify(field.name)}:${jsonText(row[index] ?? null, field)}`,
      );
      records.push(JSON.parse(`{${members.join(',')}}`) as JsonObject);
    }
  }
  return records;
}
