import type { Connection, ResultSetHeader } from 'mysql2/promise';
import type { BulkOutput, Committed, LoadPlan } from '../contract.ts';
import { outputColumns } from './bulk-columns.ts';
import type { LiveTable } from './bulk-live.ts';
import { liveOf, outputKey, sideOf } from './bulk-names.ts';
import { rowsOf } from './client.ts';
import { identifier, literal } from './quote.ts';

/**
 * Writes the rows of the side table into the live one, in the transaction that is open. A table that is to be emptied
 * and filled has its rows deleted: TRUNCATE would commit, and readers would see none.
 */
export async function mergeSide(
  connection: Connection,
  output: BulkOutput,
  plan: LoadPlan,
  live: LiveTable,
): Promise<Omit<Committed, 'rows' | 'changes'>> {
  const run = async (sql: string) => (await connection.query<ResultSetHeader>(sql))[0].affectedRows;
  const [table, side] = [liveOf(output), sideOf(output)];
  const columns = outputColumns(output).map(({ name }) => identifier(name));
  const [clock] = await rowsOf<{ now: string }>(connection, 'select cast(utc_timestamp(6) as char) as now');
  const now = literal(clock?.now ?? '');
  const own = output.syncedAt === undefined ? [] : [identifier(output.syncedAt)];
  const targets = [...columns, ...own].join(', ');
  const values = [...columns.map((name) => `s.${name}`), ...own.map(() => now)].join(', ');
  const insert = `insert into ${table} (${targets}) select ${values} from ${side} s`;
  if (plan.mode === 'replace' && live.referrers.length === 0) {
    await run(`delete from ${table}`);
    return { inserted: await run(insert) };
  }

  const key = outputKey(output).map(identifier);
  const matches = key.map((name) => `l.${name} = s.${name}`).join(' and ');
  const isMissing = `not exists (select 1 from ${side} s where ${matches})`;
  const mark = output.deletedAt === undefined ? undefined : `l.${identifier(output.deletedAt)}`;
  const synced = own.map((name) => `l.${name} = ${now}`);
  let deleted = 0;
  if (plan.mode === 'replace' || plan.missing === 'remove') {
    // Before anything else: a row may take over the value of a unique column from one that is gone.
    deleted = await run(`delete l from ${table} l where ${isMissing}`);
  } else if (plan.missing === 'mark') {
    if (mark === undefined) throw new Error('rows are to be marked as deleted in a column without a name');
    const set = [`${mark} = ${now}`, ...synced].join(', ');
    deleted = await run(`update ${table} l set ${set} where ${mark} is null and ${isMissing}`);
  }
  const others = columns.filter((name) => !key.includes(name));
  // Byte by byte: to a collation, other texts may be equal.
  const differs = others.map((name) => `not (cast(l.${name} as binary) <=> cast(s.${name} as binary))`);
  if (mark !== undefined) differs.push(`${mark} is not null`);
  const set = [
    ...others.map((name) => `l.${name} = s.${name}`),
    ...synced,
    ...(mark === undefined ? [] : [`${mark} = null`]),
  ];
  const updated =
    differs.length === 0 || set.length === 0
      ? 0
      : await run(
          `update ${table} l join ${side} s on ${matches} set ${set.join(', ')} where ${differs.join(' or ')}`,
        );
  const inserted = await run(`${insert} left join ${table} l on ${matches} where l.${key[0]} is null`);
  return { inserted, updated, deleted };
}
