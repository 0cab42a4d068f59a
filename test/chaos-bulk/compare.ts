import type { TestDatabase } from '../support/database.ts';
import { quoted, type SourceTable } from './source-table.ts';

type Row = Map<string, string | null>;

/** Every row of the source, by what its columns are called in the destination. */
export async function sourceRows(
  database: TestDatabase,
  { columns }: SourceTable,
  names: ReadonlyMap<string, string>,
): Promise<Row[]> {
  const all = ['id', 'at', ...columns.map(({ name }) => name)];
  const list = all.map((name, index) => `${quoted(name)}::text as c${index}`).join(', ');
  // One message, and so one session: the database's own settings are for those that are looked at.
  const rows = await database.query<Record<string, string | null>>(
    `set datestyle = 'ISO'; set intervalstyle = 'postgres'; set bytea_output = 'hex'; set extra_float_digits = 3;
     set timezone = 'UTC'; set client_encoding = 'UTF8'; select ${list} from public.t`,
  );
  return rows.map(
    (row) => new Map(all.map((name, index) => [names.get(name) ?? name, row[`c${index}`] ?? null])),
  );
}

/** What a value means, whatever form it has where a system lacks its type. */
function meaning(value: string | null | undefined): string | null {
  if (value === null || value === undefined) return null;
  if (/^\d{4}-\d\d-\d\d \d\d:/.test(value))
    return value
      .replace(/\+00$/, '')
      .replace(/(\.\d*?)0+$/, '$1')
      .replace(/\.$/, '');
  if (value === 'true' || value === 'false') return value.slice(0, 1);
  if (/^-?\d+\.\d+$/.test(value)) return value.replace(/0+$/, '').replace(/\.$/, '');
  return value;
}

export interface Expectation {
  source: readonly Row[];
  destination: readonly Row[] | undefined;
  /** Ids of rows that may still be there. */
  gone: ReadonlySet<string>;
}

/** What differs, in words. */
export function differences({ source, destination, gone }: Expectation): string[] {
  if (destination === undefined) return ['there is no table in the destination'];
  const live = destination.filter((row) => !row.get('_tidemark_deleted_at'));
  const columns = [...(source[0]?.keys() ?? [])];
  const text = (row: Row) => JSON.stringify(columns.map((name) => meaning(row.get(name))));
  const wanted = source.map(text).sort();
  const there = live
    .filter((row) => !gone.has(row.get('id') ?? ''))
    .map(text)
    .sort();
  const found: string[] = [];
  const count = (list: readonly string[]) => {
    const counts = new Map<string, number>();
    for (const one of list) counts.set(one, (counts.get(one) ?? 0) + 1);
    return counts;
  };
  const [wantedCounts, thereCounts] = [count(wanted), count(there)];
  for (const [row, times] of wantedCounts) {
    if ((thereCounts.get(row) ?? 0) < times) found.push(`missing: ${row.slice(0, 300)}`);
  }
  for (const [row, times] of thereCounts) {
    if ((wantedCounts.get(row) ?? 0) < times) found.push(`too many: ${row.slice(0, 300)}`);
  }
  return found.length === 0
    ? []
    : [`${wanted.length} rows wanted of ${columns.join(', ')}, ${there.length} there`, ...found.slice(0, 6)];
}
