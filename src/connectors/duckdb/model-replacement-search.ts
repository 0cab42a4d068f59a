import { BatchRefused, RecordsRefused } from '../contract.ts';
import type { Engine } from '../duckdb-engine/index.ts';
import { refusalOf, refusedRows } from '../refused-rows.ts';
import { refusedOr } from './model-batches.ts';
import type { Columns } from './model-columns.ts';
import type { Change } from './model-replacement-statements.ts';

const numbered = 'temp.main.tm_numbered';

/** The refusal, and where it is for some of the records which. @param refusal what the transaction failed with. */
export async function withRecords(
  engine: Engine,
  key: Columns['key'],
  changes: readonly Change[],
  { collected, changed }: { collected: string; changed: string },
  refusal: unknown,
): Promise<unknown> {
  if (!(refusal instanceof BatchRefused) || key === undefined) return refusal;
  // A commit that failed has ended it.
  await engine.run('rollback').catch(() => {});
  await engine.run(`create or replace temp table tm_numbered as
    select row_number() over (order by ${key.name})::integer as n, ${key.name} as k from ${collected}`);
  const [row] = await engine.query<{ counted: number | string }>(
    `select count(*) as counted from ${numbered}`,
  );
  // Which table it is that keys refer to is not told apart: any that has one may refer to itself.
  const references = await engine.query(
    `select 1 from duckdb_constraints() where database_name = current_database() and constraint_type = 'FOREIGN KEY' limit 1`,
  );
  const apply = async (chosen: string) => {
    await engine.run('begin transaction');
    for (const { status, rows, statements } of changes) {
      await engine.run(`create or replace temp table tm_changed as ${rows}`);
      if (status !== 'deleted') {
        await engine.run(
          `delete from ${changed} where ${key.name} in (select k from ${numbered} where not (${chosen}))`,
        );
      }
      for (const statement of statements) await engine.run(statement);
    }
  };
  const found = await refusedRows(Number(row?.counted), references.length > 0, (chosen) =>
    refusalOf(() => apply(chosen), refusedOr).finally(() => engine.run('rollback')),
  );
  if (found === undefined) return refusal;
  const rows = await engine.query<{ n: number; key: string }>(
    `select n, k::varchar as key from ${numbered} where n in (${[...found.keys()].join(', ')})`,
  );
  return new RecordsRefused(
    refusal.message,
    new Map(rows.map((one) => [one.key, found.get(Number(one.n)) ?? ''])),
  );
}
