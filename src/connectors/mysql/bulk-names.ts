import { createHash } from 'node:crypto';
import { TidemarkError } from '../../errors.ts';
import type { BulkOutput, BulkTarget } from '../contract.ts';
import { qualified } from './quote.ts';

/** Quoted. */
export const liveOf = ({ schema, name }: BulkTarget): string => qualified(schema, name);

/** The table that is loaded beside the live one, and what the live one is called for the moment of the swap. */
export const sideName = ({ name }: BulkTarget): string => `_tidemark_${digest(name)}`;
export const retiredName = ({ name }: BulkTarget): string => `_tidemark_old_${digest(name)}`;
export const sideOf = (target: BulkTarget): string => qualified(target.schema, sideName(target));
export const stateOf = (schema: string): string => qualified(schema, '_tidemark_state');

export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** In the destination's names, in the key's order. */
export function outputKey({ columns, primaryKey }: BulkOutput): string[] {
  return primaryKey.map((key) => columns.find(({ name }) => name === key)?.outputName ?? key);
}

export function ownColumns({ syncedAt, deletedAt }: BulkOutput): string[] {
  return [syncedAt, deletedAt].filter((name) => name !== undefined);
}

export function refuse(reason: string, cause?: unknown): never {
  throw new TidemarkError('unprocessable', { reason }, { cause });
}

/** MySQL's own words about a name are about its syntax. @throws unprocessable */
export function checkNames(output: BulkOutput): void {
  const names: [what: string, name: string][] = [
    ['schema', output.schema],
    ['table', output.name],
    ...[...output.columns.map(({ outputName }) => outputName), ...ownColumns(output)].map(
      (name): [string, string] => ['column', name],
    ),
  ];
  for (const [what, name] of names) {
    const problem = problemOf(name);
    if (problem !== undefined) refuse(`${what} ${name}: ${problem}; give it another name in the destination`);
  }
  const columns = names.slice(2).map(([, name]) => name.toLowerCase());
  const twice = columns.find((name, index) => columns.indexOf(name) !== index);
  if (twice !== undefined) {
    refuse(`MySQL does not tell columns apart by case, and ${twice} is there twice; rename one of them`);
  }
}

function problemOf(name: string): string | undefined {
  if ([...name].length > 64) return 'MySQL takes names of 64 characters at most';
  if (/[\u{10000}-\u{10ffff}\0]/u.test(name)) return 'MySQL takes no emoji or other rare characters in names';
  if (name.endsWith(' ')) return 'MySQL takes no names that end with a space';
  return undefined;
}
