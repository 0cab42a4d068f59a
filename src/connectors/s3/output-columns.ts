import { TidemarkError } from '../../errors.ts';
import type { BulkOutput } from '../contract.ts';
import type { FileColumn } from '../file-formats/file-table.ts';
import { projector } from '../file-formats/project-rows.ts';
import { holds } from '../postgresql/bulk-widening.ts';
import type { Manifest, OutputFormat } from './manifest.ts';

/** The columns that an output's rows have in files, with those of Tidemark's own that are wanted. */
export function outputColumns(output: BulkOutput, format: OutputFormat): FileColumn[] {
  const own = [output.syncedAt, output.deletedAt].filter((name) => name !== undefined);
  const columns = [
    ...output.columns.map(({ outputName, type }) => ({ name: outputName, type })),
    ...own.map((name) => ({ name, type: 'timestamp with time zone' })),
  ];
  const table = `${output.schema}.${output.name}`;
  if (columns.length === 0) refuse(`${table} has no columns, which no file can have`);
  const fold = (name: string) => (format === 'parquet' ? name.toLowerCase() : name);
  const taken = new Set<string>();
  for (const { name } of columns) {
    if (taken.has(fold(name)))
      refuse(`${table} would have two columns ${name}; give one of them another output name`);
    taken.add(fold(name));
  }
  return columns;
}

/** The columns of a table into which rows are merged: what it has stays, types are widened, new ones come last. */
export function mergedColumns(live: Manifest, incoming: readonly FileColumn[]): FileColumn[] {
  const merged = live.columns.map((column) => {
    const other = incoming.find(({ name }) => name === column.name);
    if (other === undefined || holds(column.type, other.type)) return column;
    if (holds(other.type, column.type)) return other;
    return refuse(
      `column ${column.name} is ${column.type} in ${live.schema}.${live.name} and ${other.type} in the source, and neither type holds every value of the other: run it with resync_mode rebuild`,
    );
  });
  const known = new Set(live.columns.map(({ name }) => name));
  return [...merged, ...incoming.filter(({ name }) => !known.has(name))];
}

/** What a merge did to the columns, for people. */
export function changesOf(
  live: Manifest,
  incoming: readonly FileColumn[],
  merged: readonly FileColumn[],
): string[] {
  const before = new Map(live.columns.map(({ name, type }) => [name, type]));
  const come = new Set(incoming.map(({ name }) => name));
  return merged.flatMap(({ name, type }) => {
    const was = before.get(name);
    if (was === undefined) return [`column ${name} added as ${type}`];
    if (was !== type) return [`column ${name} widened from ${was} to ${type}`];
    return come.has(name)
      ? []
      : [`column ${name} is not in the source any more: it stays, empty in new rows`];
  });
}

/** Incoming rows as rows of the table's columns. @param rows in pieces that end with a row. */
export async function* projected(
  rows: AsyncIterable<Buffer>,
  output: BulkOutput,
  columns: readonly FileColumn[],
  syncedAt: string,
): AsyncGenerator<Buffer> {
  const project = projector(
    output.columns.length,
    columns.map(({ name }) => {
      const at = output.columns.findIndex(({ outputName }) => outputName === name);
      if (at >= 0) return { at };
      return name === output.syncedAt ? { constant: syncedAt } : {};
    }),
  );
  for await (const chunk of rows) yield project(chunk);
}

function refuse(reason: string): never {
  throw new TidemarkError('unprocessable', { reason });
}
