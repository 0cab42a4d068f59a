import { TidemarkError } from '../../errors.ts';
import type { BulkSource, BulkTable } from '../contract.ts';
import { FileRows } from './file-rows.ts';
import type { FileTable, FileTables } from './file-table.ts';
import { filteredRows } from './filter-rows.ts';
import { changedRows, digestOf } from './project-rows.ts';
import { WarningCounts } from './warning-counts.ts';

/** A bulk source over tables of files. What `table` found is what the reads after it give. */
export function bulkSource(tables: FileTables): BulkSource {
  const opened = new Map<string, Promise<FileTable>>();
  const reopened = (id: string) => {
    const found = opened.get(id);
    if (found !== undefined) return found;
    const opening = tables.open(id);
    opened.set(id, opening);
    return opening;
  };
  return {
    async table(schemaId, columns): Promise<BulkTable> {
      // A selection is made of what was just found: both are the same look at the files.
      if (columns === undefined) opened.delete(schemaId);
      const table = await reopened(schemaId);
      const chosen = table.columns.filter(({ name }) => columns === undefined || columns.includes(name));
      const names = chosen.map(({ name }) => name);
      return {
        schemaId,
        ...(table.origin === undefined ? {} : { origin: table.origin }),
        ...(table.place === undefined ? {} : { facts: { server: table.place } }),
        columns: chosen.map(({ name, type }) => ({ name, outputName: name, type, nullable: true })),
        primaryKey: table.primaryKey.every((name) => names.includes(name)) ? [...table.primaryKey] : [],
        estimatedRows: table.rows,
        formats: ['copy-text'],
      };
    },
    async trackingBound({ schemaId }, field) {
      const { trackingBound } = await reopened(schemaId);
      if (trackingBound !== undefined) return trackingBound(field);
      throw new TidemarkError('invalid_field', { field, reason: 'a file has no field that can be followed' });
    },
    reaches: async ({ schemaId }, _field, from) => (await reopened(schemaId)).reaches?.(from) ?? false,
    ranges: async ({ schemaId }, rows) => (await reopened(schemaId)).ranges?.(rows) ?? [],
    async read({ schemaId, columns }, _format, { salt = '', ...options }) {
      const table = await reopened(schemaId);
      const warnings = new WarningCounts();
      const wanted = columns.map(({ name, type, obfuscated }) => ({
        name,
        type: obfuscated ? (table.columns.find((column) => column.name === name)?.type ?? type) : type,
      }));
      const fitting = { rows: 0 };
      const rows = filteredRows(table, wanted, { ...options, warnings, fitting });
      const digest = digestOf(salt);
      const changes = columns.map(({ obfuscated }) => (obfuscated ? digest : undefined));
      return new FileRows(changedRows(rows, changes), warnings, () => fitting.rows);
    },
  };
}
