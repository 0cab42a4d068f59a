import { type FixedExpression, matcher } from '../../conditions/index.ts';
import { decodeRow } from '../../lib/copy-text.ts';
import { countRows } from './copy-text-rows.ts';
import { type FileColumn, type FileRead, type FileTable, fieldOf } from './file-table.ts';
import { projector } from './project-rows.ts';

/**
 * A table's rows that fit a filter, with the wanted columns, of which one may be wanted twice.
 *
 * @param options.fitting gets the number of them.
 * @throws invalid_field when the filter does not suit the table's fields.
 */
export function filteredRows(
  table: FileTable,
  wanted: readonly FileColumn[],
  { filter, fitting, ...options }: FileRead & { filter?: FixedExpression; fitting?: { rows: number } },
): AsyncIterable<Buffer> {
  const matched = filter === undefined ? undefined : matcher(filter, table.columns.map(fieldOf));
  const tested = (matched?.fields ?? []).map((name) => table.columns.find((column) => column.name === name));
  const read: FileColumn[] = [];
  for (const column of [...wanted, ...tested]) {
    if (column !== undefined && !read.some(({ name }) => name === column.name)) read.push(column);
  }
  const at = (column: FileColumn | undefined) => read.findIndex(({ name }) => name === column?.name);
  const project = projector(
    read.length,
    wanted.map((column) => ({ at: at(column) })),
  );
  const positions = tested.map(at);
  return (async function* () {
    for await (const rows of table.read(read, options)) {
      if (matched === undefined) {
        if (fitting !== undefined) fitting.rows += countRows(rows);
        yield project(rows);
      } else {
        const lines = rows.toString('utf8', 0, rows.length - 1).split('\n');
        const kept = lines.filter((line) => {
          const row = decodeRow(line);
          return matched.matches(positions.map((position) => row[position] ?? null));
        });
        if (fitting !== undefined) fitting.rows += kept.length;
        if (kept.length > 0) yield project(Buffer.from(`${kept.join('\n')}\n`));
      }
    }
  })();
}
