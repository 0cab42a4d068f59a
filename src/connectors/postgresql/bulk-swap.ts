import type { Client } from 'pg';
import type { BulkOutput, LoadPlan } from '../contract.ts';
import { type Attribute, attributesOf, giveAttributes } from './bulk-attributes.ts';
import { copyIndexes } from './bulk-indexes.ts';
import { checkReplaceable, checkUnbound, findLive, lockLive } from './bulk-live.ts';
import { ownColumns, qualified, refuse } from './bulk-names.ts';
import { checkStanding } from './bulk-standing.ts';
import { identifier } from './quote.ts';
import { ask } from './transaction.ts';

/**
 * Puts the side table in the live one's place, with its indexes and constraints and with all that hangs on it. Commits
 * nothing.
 *
 * @returns what could not be kept, for people.
 */
export async function swap(
  client: Client,
  output: BulkOutput,
  plan: LoadPlan,
  sideName: string,
): Promise<string[]> {
  const side = qualified({ schema: output.schema, name: sideName });
  const live = qualified(output);
  await addOwnColumns(client, output, side);
  const { renames, lost } = await copyIndexes(client, output, sideName);
  let attributes: Attribute[] | undefined;
  if (await lockLive(client, output, 'readers')) {
    await checkStanding(client, output, plan);
    const found = await findLive(client, output);
    if (plan.mode === 'merge') {
      refuse(`${output.schema}.${output.name} was created while its rows were loaded: run it again`);
    }
    if (found !== undefined) {
      checkReplaceable(found, output);
      attributes = await attributesOf(client, output, found.oid);
      checkUnbound(output, attributes);
    }
    await client.query(`drop table ${live}`);
  }
  await client.query(`alter table ${side} rename to ${identifier(output.name)}`);
  await renameKey(client, output);
  for (const statement of renames) await client.query(statement);
  // Where nothing is replaced, rights that every new table has are right.
  return attributes === undefined ? lost : [...lost, ...(await giveAttributes(client, output, attributes))];
}

/** After the rows: a column that comes with a constant costs no byte in any of them. */
async function addOwnColumns(client: Client, output: BulkOutput, side: string): Promise<void> {
  for (const name of ownColumns(output)) {
    const column = identifier(name);
    const isDefault = name === output.syncedAt ? ' default statement_timestamp()' : '';
    await client.query(`alter table ${side} add column ${column} timestamptz${isDefault}`);
    await client.query(`alter table ${side} alter column ${column} drop default`);
  }
}

/** `<table>_pkey`, as PostgreSQL would have named it, if nothing else has that name. */
async function renameKey(client: Client, output: BulkOutput): Promise<void> {
  const { rows } = await ask<{ statement: string }>(
    client,
    `select format('alter table %I.%I rename constraint %I to %I', $1::text, $2::text, k.conname, $2 || '_pkey') as statement
     from pg_constraint k where k.conrelid = format('%I.%I', $1, $2)::regclass and k.contype = 'p'
       and octet_length($2 || '_pkey') <= 63 and to_regclass(format('%I.%I', $1, $2 || '_pkey')) is null`,
    [output.schema, output.name],
  );
  for (const { statement } of rows) await client.query(statement);
}
