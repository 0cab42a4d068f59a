import type { FileColumn } from '../file-formats/file-table.ts';
import { convertedRows } from '../file-formats/one-file.ts';
import { csvNames, type TextFile } from '../file-formats/text-file.ts';
import type { WarningCounts } from '../file-formats/warning-counts.ts';

/** The rows of a text file that Tidemark wrote: nothing has to be found out but which columns it has. */
export async function* ownTextRows(
  name: string,
  open: TextFile['open'],
  wanted: readonly FileColumn[],
  warnings: WarningCounts,
): AsyncGenerator<Buffer> {
  const format = name.endsWith('.csv') ? 'csv' : 'json';
  const file: TextFile = { name, format, open, header: true, delimiter: ',' };
  const names = format === 'csv' ? await csvNames(file) : wanted.map((column) => column.name);
  const own = names.map((column) => ({ name: column, json: false }));
  yield* convertedRows(file, own, wanted, { warnings });
}
