import type { BulkColumn, BulkSource, BulkTable } from '../connectors/index.ts';
import { TidemarkError } from '../errors.ts';
import type { BulkSync, ColumnName, SelectedSchema } from './bulk-sync.ts';
import { columnNames } from './output-names.ts';
import { isFieldEnabled } from './schema-settings.ts';

/**
 * The table as the source has it now, with the columns that are wanted, as they are wanted.
 *
 * @param keyOverride field names that a user gave in place of the source's own key.
 */
export async function readableTable(
  source: BulkSource,
  schemaId: string,
  sync: Pick<BulkSync, 'addNewFields' | 'normalizeNames'>,
  { settings, columnNames: given }: Pick<SelectedSchema, 'settings' | 'columnNames'>,
  keyOverride: readonly string[] | undefined,
): Promise<{ table: BulkTable; names: ColumnName[] }> {
  const all = await source.table(schemaId, undefined);
  const wanted = all.columns.filter(({ name }) => isFieldEnabled(sync, settings, name));
  const table =
    wanted.length === all.columns.length
      ? all
      : await source.table(
          schemaId,
          wanted.map(({ name }) => name),
        );
  const names = columnNames(
    table.columns.map(({ name }) => name),
    settings.fields,
    sync.normalizeNames,
    given,
  );
  const obfuscated = new Set(settings.fields.filter((field) => field.obfuscated).map(({ id }) => id));
  const columns = table.columns.map((column, index): BulkColumn => {
    const named = { ...column, outputName: names[index]?.name ?? column.outputName };
    return obfuscated.has(column.name) ? { ...named, type: 'text', obfuscated: true } : named;
  });
  const primaryKey = keyOverride === undefined ? table.primaryKey : [...keyOverride];
  const lost = primaryKey.find((name) => !columns.some((column) => column.name === name));
  if (lost !== undefined) {
    throw new TidemarkError('unprocessable', {
      reason: `The primary key set for ${schemaId} names ${lost}, which is not among the fields that are read: enable it or set another key`,
    });
  }
  return { table: { ...table, columns, primaryKey }, names };
}
