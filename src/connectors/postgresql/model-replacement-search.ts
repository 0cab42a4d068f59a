import type { Client } from 'pg';
import { BatchRefused, RecordsRefused, type TargetDefinition } from '../contract.ts';
import { refusalOf, refusedRows } from '../refused-rows.ts';
import type { ReplacementStatements } from './model-replacement-statements.ts';
import { refusedOr } from './model-stage.ts';
import { ask } from './transaction.ts';

/**
 * The refusal, and where it is for some of the records which: they are looked for in its transaction.
 *
 * @param refusal what it failed with, after a savepoint `replacing`.
 */
export async function withRecords(
  client: Client,
  { begin, changes, search }: ReplacementStatements,
  definition: TargetDefinition,
  refusal: unknown,
): Promise<unknown> {
  if (!(refusal instanceof BatchRefused) || search === undefined) return refusal;
  const back = () => client.query('rollback to savepoint replacing');
  try {
    await back();
  } catch {
    // What a commit finds, deferred constraints, has ended the transaction.
    return refusal;
  }
  const { rowCount } = await client.query(search.number);
  const itself = await ask(client, search.itself);
  await client.query('savepoint replacing');
  const removals = changes.filter(([status]) => status === 'deleted');
  const others = changes.filter(([status]) => status !== 'deleted');
  const apply = async (chosen: string) => {
    for (const statement of begin) await client.query(statement);
    for (const [, statement] of removals) await client.query(statement);
    await client.query(search.choose(chosen));
    for (const [, statement] of others) await client.query(statement);
    const missing = await client.query(search.missing);
    if (missing.rowCount !== 0) throw new BatchRefused('a trigger or rule of the target kept the row out');
  };
  const found = await refusedRows(rowCount ?? 0, itself.rowCount !== 0, (chosen) =>
    refusalOf(
      () => apply(chosen),
      (error) => refusedOr(error, definition),
    ).finally(back),
  );
  if (found === undefined) return refusal;
  const { rows } = await client.query<{ n: number; key: string }>(search.keys, [[...found.keys()]]);
  return new RecordsRefused(refusal.message, new Map(rows.map(({ n, key }) => [key, found.get(n) ?? ''])));
}
