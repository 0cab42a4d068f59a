import { TidemarkError } from '../../errors.ts';
import type { BulkOutput } from '../contract.ts';

/** The key's columns by their names in the destination, in key order. */
export function outputKey({ columns, primaryKey }: BulkOutput): string[] {
  return primaryKey.map((key) => columns.find(({ name }) => name === key)?.outputName ?? key);
}

/** Tidemark's own columns, where they are wanted. */
export function ownColumns({ syncedAt, deletedAt }: BulkOutput): string[] {
  return [syncedAt, deletedAt].filter((name) => name !== undefined);
}

/** DuckDB does not tell names apart that differ in case only. */
export function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** @throws unprocessable when two columns would have one name. */
export function checkNames(output: BulkOutput): void {
  const names = output.columns.map(({ outputName }) => outputName);
  const twice = names.find((name, index) => names.findIndex((other) => sameName(name, other)) !== index);
  if (twice !== undefined) {
    const first = names.find((name) => sameName(name, twice));
    refuse(`${first} and ${twice} are one name to DuckDB: give one of the columns another output name`);
  }
  const taken = ownColumns(output).find((own) => names.some((name) => sameName(name, own)));
  if (taken !== undefined) {
    refuse(
      `${taken} is a column of the source and one of Tidemark's own: set advanced.record_column_prefix, or another output name`,
    );
  }
}

/** @throws unprocessable: the table cannot be loaded as it is asked for. */
export function refuse(reason: string, cause?: unknown): never {
  throw new TidemarkError('unprocessable', { reason }, { cause });
}
