import { TidemarkError } from '../../errors.ts';
import { escaped } from '../../lib/copy-text.ts';
import type { FileColumn, FileRead, FileTable } from './file-table.ts';
import { normalizer } from './normal-text.ts';
import { type OutputField, projector } from './project-rows.ts';
import { type TextFile, textColumns, textRows } from './text-file.ts';
import { allRows } from './whole-file.ts';

/** A table that is one file of text. Counts its rows and finds its types: reads all of it. */
export async function oneFileTable(id: string, file: TextFile): Promise<FileTable> {
  const { columns, rows } = await textColumns(file);
  if (columns.length > 0) {
    return {
      id,
      columns,
      primaryKey: [],
      rows,
      read: (wanted, options) => allRows(convertedRows(file, columns, wanted, options), file.name, rows),
    };
  }
  throw new TidemarkError('unprocessable', { reason: `${file.name} is empty: it has not even a header` });
}

/**
 * A file's rows as rows of a table that has other columns as well, and wider types.
 *
 * @param found the file's own columns. @param constants what columns that the file lacks have in every row.
 */
export async function* convertedRows(
  file: TextFile,
  found: readonly { name: string; json: boolean }[],
  wanted: readonly FileColumn[],
  { warnings }: Pick<FileRead, 'warnings'>,
  constants: ReadonlyMap<string, string> = new Map(),
): AsyncGenerator<Buffer> {
  // A column that is json elsewhere is written as json here, too.
  const columns = found.map(({ name, json }) => {
    const as = wanted.find((column) => column.name === name);
    return { name, json: as === undefined ? json : /^jsonb?$/.test(as.type) };
  });
  const fields = wanted.map(({ name, type }): OutputField => {
    const at = columns.findIndex((column) => column.name === name);
    const constant = constants.get(name);
    if (at < 0) return constant === undefined ? {} : { constant: escaped(constant) };
    const change = normalizer(type);
    return change === undefined ? { at } : { at, change };
  });
  const project = projector(columns.length, fields);
  for await (const rows of textRows(file, columns, warnings)) yield project(rows);
}
