import type { Client } from 'pg';
import type { BulkOutput, LoadPlan } from '../contract.ts';
import { compareMerged, expectRows } from '../row-counts.ts';
import { assignments } from './bulk-difference.ts';
import { qualified } from './bulk-names.ts';
import { identifier } from './quote.ts';
import { ask } from './transaction.ts';

/**
 * Whether the rows that were stored are the staged table's, once its key is built: the build has counted them, to the
 * precision of a float4. They are counted here where it says otherwise, or nothing (with autovacuum off). Rows without a
 * key come in one transaction, and COPY has counted them there.
 *
 * @throws rows_differ
 */
export async function expectStaged(
  client: Client,
  output: BulkOutput,
  table: string,
  rows: number,
): Promise<void> {
  if (output.primaryKey.length === 0) return;
  const { rowCount } = await ask(
    client,
    'select from pg_class where oid = $1::regclass and reltuples = $2::float8::float4',
    [table, rows],
  );
  if (rowCount === 1) return;
  expectRows(
    `what was staged for ${output.schema}.${output.name}`,
    rows,
    await count(client, `from ${table}`),
  );
}

/**
 * Whether the live table has the staged rows after a merge: a trigger, rule or policy of its owner's may have kept some
 * out. Where all rows of the source were staged its own are as many, else each is looked up.
 *
 * @throws rows_differ
 */
export async function expectMerged(
  client: Client,
  output: BulkOutput,
  stage: string,
  { rows, missing }: { rows: number; missing: LoadPlan['missing'] },
): Promise<void> {
  const live = qualified(output);
  await compareMerged(
    `${output.schema}.${output.name}`,
    { rows, missing, deletedAt: output.deletedAt },
    {
      live: (mark) =>
        count(client, `from ${live}${mark === undefined ? '' : ` where ${identifier(mark)} is null`}`),
      async absent() {
        const { key } = await assignments(client, output);
        return count(client, `from ${stage} s where not exists (select from ${live} l where ${key})`);
      },
    },
  );
}

async function count(client: Client, from: string): Promise<number> {
  const { rows } = await client.query<{ count: string }>(`select count(*) ${from}`);
  return Number(rows[0]?.count);
}
