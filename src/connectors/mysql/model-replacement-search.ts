import type { Connection } from 'mysql2/promise';
import { decodeCopyText } from '../../lib/copy-text.ts';
import { BatchRefused, RecordsRefused } from '../contract.ts';
import { refusalOf, refusedRows } from '../refused-rows.ts';
import { rowsOf } from './client.ts';
import { refusedOr } from './model-refused.ts';
import type { Change, ReplacementStatements, Surplus } from './model-replacement-statements.ts';
import { SelectedRows } from './row-stream.ts';

/** The refusal, and where it is for some of the records which. @param refusal what the transaction failed with. */
export async function withRecords(
  connection: Connection,
  statements: ReplacementStatements,
  refusal: unknown,
): Promise<unknown> {
  const { search } = statements;
  if (!(refusal instanceof BatchRefused) || search === undefined) return refusal;
  await connection.query('rollback');
  await connection.query(search.number);
  const [row] = await rowsOf<{ counted: string }>(connection, search.counted);
  const itself = await rowsOf(connection, search.itself);
  const apply = async (chosen: string) => {
    await connection.query('set transaction isolation level repeatable read');
    await connection.query('start transaction');
    for (const statement of [statements.lock, ...statements.begin, statements.remove.sql]) {
      await connection.query(statement);
    }
    for (const { sql } of await surplusOf(connection, statements.surplus)) await connection.query(sql);
    await connection.query(search.choose(chosen));
    for (const { sql } of statements.changes) await connection.query(sql);
    const missing = await rowsOf(connection, search.missing);
    if (missing.length > 0) throw new BatchRefused('a trigger of the target kept the row out');
  };
  const found = await refusedRows(Number(row?.counted), itself.length > 0, (chosen) =>
    refusalOf(() => apply(chosen), refusedOr).finally(() => connection.query('rollback')),
  );
  if (found === undefined) return refusal;
  const rows = await rowsOf<{ n: number; key: string }>(connection, search.keys([...found.keys()]));
  return new RecordsRefused(
    refusal.message,
    new Map(rows.map(({ n, key }) => [key, found.get(Number(n)) ?? ''])),
  );
}

/** One change for each value that the target has too often: few, or the data is odd. */
export async function surplusOf(connection: Connection, surplus: Surplus | undefined): Promise<Change[]> {
  if (surplus === undefined) return [];
  const { select, rendered, remove } = surplus;
  const rows = await Array.fromAsync(decodeCopyText(new SelectedRows(connection, select, rendered)));
  return rows.flat().map(([value = null, count = null]) => remove(value ?? '', Number(count)));
}
