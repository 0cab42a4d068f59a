import type { Connection } from 'mysql2/promise';
import type { BulkOutput, LoadPlan } from '../contract.ts';
import { compareMerged, expectRows } from '../row-counts.ts';
import { liveOf, outputKey, sideOf } from './bulk-names.ts';
import { rowsOf } from './client.ts';
import { identifier } from './quote.ts';

/** Whether the rows that were stored are in the side table, which everybody can see and change. @throws rows_differ */
export async function expectStaged(connection: Connection, output: BulkOutput, rows: number): Promise<void> {
  const staged = await count(connection, `from ${sideOf(output)}`);
  expectRows(`what was staged for ${output.schema}.${output.name}`, rows, staged);
}

/**
 * Whether the live table has the staged rows after a merge. Where all rows of the source were staged its own are as
 * many, else each is looked up.
 *
 * @throws rows_differ
 */
export async function expectMerged(
  connection: Connection,
  output: BulkOutput,
  { mode, missing }: Pick<LoadPlan, 'mode' | 'missing'>,
  rows: number,
): Promise<void> {
  const live = liveOf(output);
  const merged = {
    rows,
    missing: mode === 'replace' ? 'remove' : missing,
    deletedAt: output.deletedAt,
  } as const;
  await compareMerged(`${output.schema}.${output.name}`, merged, {
    live: (mark) =>
      count(connection, `from ${live}${mark === undefined ? '' : ` where ${identifier(mark)} is null`}`),
    absent() {
      const key = outputKey(output).map(identifier);
      const matches = key.map((column) => `l.${column} = s.${column}`).join(' and ');
      return count(
        connection,
        `from ${sideOf(output)} s left join ${live} l on ${matches} where l.${key[0]} is null`,
      );
    },
  });
}

async function count(connection: Connection, from: string): Promise<number> {
  const [row] = await rowsOf<{ n: string }>(connection, `select count(*) as n ${from}`);
  return Number(row?.n);
}
