import { canonical, type Meaning } from './canonical.ts';
import type { Destination } from './destinations.ts';
import type { Row } from './source.ts';

export interface Expectation {
  source: readonly Row[];
  meanings: ReadonlyMap<string, Meaning>;
  destination: readonly Row[] | undefined;
  /** What the columns of the source are called in the destination. */
  names: ReadonlyMap<string, string>;
  lost: Destination['lost'];
  /** Ids of rows that may be there as they were, or may be missing, or may be there although they are gone. */
  untold: ReadonlySet<string>;
}

/** What differs, in words. */
export function differences(expectation: Expectation): string[] {
  const { source, meanings, destination, names, lost, untold } = expectation;
  if (destination === undefined) return ['there is no table in the destination'];
  const columns = [...meanings].map(([name, meaning]) => ({
    name,
    meaning,
    output: names.get(name) ?? name,
  }));
  const missing = columns.filter(({ output }) => destination.length > 0 && !destination[0]?.has(output));
  if (missing.length > 0) return [`no column ${missing.map(({ output }) => output).join(', ')}`];
  const id = names.get('id') ?? 'id';
  const wanted = source
    .filter((row) => !untold.has(row.get('id') ?? ''))
    .map((row) =>
      JSON.stringify(
        columns.map(({ name, meaning }) => {
          const value = row.get(name) ?? null;
          return value !== null && lost?.(meaning, value) ? null : value;
        }),
      ),
    );
  const there = destination
    .filter((row) => !row.get('_tidemark_deleted_at') && !untold.has(row.get(id) ?? ''))
    .map((row) =>
      JSON.stringify(
        columns.map(({ output, meaning }) => {
          const value = row.get(output) ?? null;
          return value === null ? null : canonical(meaning, value);
        }),
      ),
    );
  const found = [...lacking(wanted, there, 'missing'), ...lacking(there, wanted, 'too many')];
  if (found.length === 0) return [];
  const list = columns.map(({ output }) => output).join(', ');
  return [`${wanted.length} rows wanted of ${list}, ${there.length} there`, ...found.slice(0, 6)];
}

function lacking(rows: readonly string[], among: readonly string[], what: string): string[] {
  const left = new Map<string, number>();
  for (const row of among) left.set(row, (left.get(row) ?? 0) + 1);
  return rows.flatMap((row) => {
    const count = left.get(row) ?? 0;
    left.set(row, count - 1);
    return count > 0 ? [] : [`${what}: ${row.slice(0, 400)}`];
  });
}
