import { type FixedExpression, type Matcher, matcher } from '../../conditions/index.ts';
import { decodeRow } from '../../lib/copy-text.ts';
import { type FileColumn, type FileRead, type FileTable, fieldOf } from './file-table.ts';
import { projector } from './project-rows.ts';

/** A table's rows that fit a filter. @throws invalid_field when the filter does not suit the table's fields. */
export function filteredRows(
  table: FileTable,
  wanted: readonly FileColumn[],
  { filter, ...options }: FileRead & { filter?: FixedExpression | undefined },
): AsyncIterable<Buffer> {
  if (filter === undefined) return table.read(wanted, options);
  return rowsThatFit(table, wanted, matcher(filter, table.columns.map(fieldOf)), options);
}

async function* rowsThatFit(
  table: FileTable,
  wanted: readonly FileColumn[],
  filter: Matcher,
  options: FileRead,
): AsyncGenerator<Buffer> {
  // Those that the filter looks at come first, in its order.
  const tested = filter.fields.flatMap((name) => table.columns.filter((column) => column.name === name));
  const read = tested.concat(wanted.filter(({ name }) => !filter.fields.includes(name)));
  const project = projector(
    read.length,
    wanted.map(({ name }) => ({ at: read.findIndex((column) => column.name === name) })),
  );
  for await (const rows of table.read(read, options)) {
    const kept = [...linesOf(rows)].filter((line) => filter.matches(head(line, filter.fields.length)));
    if (kept.length > 0) yield project(Buffer.concat(kept));
  }
}

/** The first values of a line. */
function head(line: Buffer, count: number): (string | null)[] {
  let end = -1;
  for (let field = 0; field < count; field++) {
    const tab = line.indexOf(0x09, end + 1);
    end = tab < 0 ? line.length - 1 : tab;
  }
  return decodeRow(line.toString('utf8', 0, end));
}

/** Each with the newline at its end. */
function* linesOf(rows: Buffer): Generator<Buffer> {
  for (let start = 0; start < rows.length; ) {
    const end = rows.indexOf(0x0a, start) + 1;
    yield rows.subarray(start, end);
    start = end;
  }
}
