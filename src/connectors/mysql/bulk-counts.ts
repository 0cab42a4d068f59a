import type { Connection } from 'mysql2/promise';
import type { BulkOutput, LoadPlan } from '../contract.ts';
import { expectRows } from '../row-counts.ts';
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
  const name = `${output.schema}.${output.name}`;
  if (mode === 'replace' || missing !== undefined) {
    const mark = missing === 'mark' ? output.deletedAt : undefined;
    const where = mark === undefined ? '' : ` where ${identifier(mark)} is null`;
    expectRows(name, rows, await count(connection, `from ${live}${where}`));
    return;
  }
  const key = outputKey(output).map(identifier);
  const matches = key.map((column) => `l.${column} = s.${column}`).join(' and ');
  const absent = `from ${sideOf(output)} s left join ${live} l on ${matches} where l.${key[0]} is null`;
  expectRows(name, rows, rows - (await count(connection, absent)));
}

async function count(connection: Connection, from: string): Promise<number> {
  const [row] = await rowsOf<{ n: string }>(connection, `select count(*) as n ${from}`);
  return Number(row?.n);
}
