import type { Connection } from 'mysql2/promise';
import type { BulkOutput, LoadPlan } from '../contract.ts';
import { definitions } from './bulk-columns.ts';
import { digest, liveOf, refuse, retiredName, sideName, sideOf } from './bulk-names.ts';
import {
  commentOf,
  dropEntries,
  type LoadState,
  readEntry,
  storedRanges,
  tokenOf,
  writeEntry,
} from './bulk-state.ts';
import { rowsOf } from './client.ts';
import { demandsKeys, ownKey } from './own-key.ts';
import { literal, qualified } from './quote.ts';

/** The table beside the live one, as one load has it. */
export interface Side {
  /** What its state goes by; it stands in the table's comment. */
  token: string;
  /** Ours, until somebody takes over. */
  claim: string;
  stored: ReadonlyMap<string, number>;
}

/** Goes on with the side table that a run of the same execution has left, or makes a new one. */
export async function prepareSide(
  connection: Connection,
  output: BulkOutput,
  plan: LoadPlan,
  collation: string,
): Promise<Side> {
  const { schema } = output;
  const columns = definitions(output, collation);
  const body =
    output.primaryKey.length === 0 && (await demandsKeys(connection)) ? `${columns}, ${ownKey}` : columns;
  // What the rows were made of, too: obfuscated or not, a text is stored in the same column.
  const made = output.columns.map(({ name, outputName, type, version = '', obfuscated = false }) => [
    name,
    outputName,
    type,
    version,
    obfuscated,
  ]);
  const shape = digest(JSON.stringify([body, made, output.primaryKey, output.facts ?? null]));
  const claim = crypto.randomUUID();
  const state: LoadState = { executionId: plan.executionId, claim, shape };
  await connection.query(`drop table if exists ${qualified(schema, retiredName(output))}`);
  const left = await sideToken(connection, output);
  if (left !== undefined) {
    const before = await readEntry<LoadState>(connection, schema, left, 'load');
    if (plan.ranged && before?.executionId === plan.executionId && before.shape === shape) {
      await writeEntry(connection, schema, left, 'load', state);
      return { token: left, claim, stored: await storedRanges(connection, schema, left) };
    }
  }
  await dropSide(connection, output);
  const token = crypto.randomUUID();
  await writeEntry(connection, schema, token, 'load', state);
  await connection.query(
    `create table ${sideOf(output)} (${body}) engine = InnoDB comment = ${literal(commentOf(token))}`,
  );
  return { token, claim, stored: new Map() };
}

/** With everything that is known of it. */
export async function dropSide(connection: Connection, output: BulkOutput): Promise<void> {
  const token = await sideToken(connection, output);
  await connection.query(`drop table if exists ${sideOf(output)}`);
  if (token !== undefined) await dropEntries(connection, output.schema, token);
}

/** @throws unprocessable when another worker goes on with the load. @param locking until the transaction ends. */
export async function checkClaim(
  connection: Connection,
  output: BulkOutput,
  { token, claim }: Side,
  locking = true,
): Promise<void> {
  const state = await readEntry<LoadState>(connection, output.schema, token, 'load', locking);
  if (state?.claim !== claim) {
    refuse(`The load of ${output.schema}.${output.name} was taken over by another worker`);
  }
}

async function sideToken(connection: Connection, output: BulkOutput): Promise<string | undefined> {
  const [table] = await rowsOf<{ comment: string }>(
    connection,
    `select table_comment as comment from information_schema.tables where table_schema = ? and table_name = ?`,
    [output.schema, sideName(output)],
  );
  return table === undefined ? undefined : tokenOf(table.comment);
}

/** The side table takes the live one's place, for all readers at once; grants and views go by the name. */
export async function swap(connection: Connection, output: BulkOutput, live: boolean): Promise<void> {
  const retired = qualified(output.schema, retiredName(output));
  const side = `${sideOf(output)} to ${liveOf(output)}`;
  if (!live) {
    await connection.query(`rename table ${side}`);
    return;
  }
  await connection.query(`drop table if exists ${retired}`);
  await connection.query(`rename table ${liveOf(output)} to ${retired}, ${side}`);
  await connection.query(`drop table ${retired}`);
}
