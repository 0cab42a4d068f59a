import { TidemarkError } from '../../errors.ts';
import type { BulkOutput, BulkTarget } from '../contract.ts';
import { identifier } from './quote.ts';

/** Quoted, to be put into a statement. */
export function qualified({ schema, name }: BulkTarget): string {
  return `${identifier(schema)}.${identifier(name)}`;
}

export function list(names: readonly string[]): string {
  return names.map(identifier).join(', ');
}

/** The key's columns by their names in the destination, in key order. */
export function outputKey({ columns, primaryKey }: BulkOutput): string[] {
  return primaryKey.map((key) => columns.find(({ name }) => name === key)?.outputName ?? key);
}

/** Tidemark's own columns, where they are wanted. */
export function ownColumns({ syncedAt, deletedAt }: BulkOutput): string[] {
  return [syncedAt, deletedAt].filter((name) => name !== undefined);
}

/** @throws unprocessable: the table cannot be loaded as it is asked for. */
export function refuse(reason: string, cause?: unknown): never {
  throw new TidemarkError('unprocessable', { reason }, { cause });
}
