import pg, { type Client } from 'pg';
import type { BulkOutput, LoadPlan } from '../contract.ts';
import { copyIndexes } from './bulk-indexes.ts';
import { checkReplaceable, findLive, lockLive } from './bulk-live.ts';
import { ownColumns, qualified, refuse } from './bulk-names.ts';

/**
 * Puts the side table in the live one's place, with the same grants and indexes. What else somebody has put on the
 * live table goes with it: docs/connectors/postgresql.md. Commits nothing.
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
  if (await lockLive(client, output, 'readers')) {
    const found = await findLive(client, output);
    if (plan.mode === 'merge') {
      refuse(`${output.schema}.${output.name} was created while its rows were loaded: run it again`);
    }
    if (found !== undefined) checkReplaceable(found, output);
    await copyGrants(client, live, side);
    await client.query(`drop table ${live}`);
  }
  await client.query(`alter table ${side} rename to ${pg.escapeIdentifier(output.name)}`);
  await renameKey(client, output);
  for (const statement of renames) await client.query(statement);
  return lost;
}

/** After the rows: a column that comes with a constant costs no byte in any of them. */
async function addOwnColumns(client: Client, output: BulkOutput, side: string): Promise<void> {
  for (const name of ownColumns(output)) {
    const column = pg.escapeIdentifier(name);
    const isDefault = name === output.syncedAt ? ' default statement_timestamp()' : '';
    await client.query(`alter table ${side} add column ${column} timestamptz${isDefault}`);
    await client.query(`alter table ${side} alter column ${column} drop default`);
  }
}

async function copyGrants(client: Client, live: string, side: string): Promise<void> {
  const { rows } = await client.query<{ statement: string }>(
    `select format('grant %s on %s to %s%s', g.privilege_type, $2::text,
       case g.grantee when 0 then 'public' else g.grantee::regrole::text end,
       case when g.is_grantable then ' with grant option' else '' end) as statement
     from pg_class c, aclexplode(c.relacl) g where c.oid = $1::regclass and g.grantee <> c.relowner`,
    [live, side],
  );
  for (const { statement } of rows) await client.query(statement);
}

/** `<table>_pkey`, as PostgreSQL would have named it, if nothing else has that name. */
async function renameKey(client: Client, output: BulkOutput): Promise<void> {
  const { rows } = await client.query<{ statement: string }>(
    `select format('alter table %I.%I rename constraint %I to %I', $1::text, $2::text, k.conname, $2 || '_pkey') as statement
     from pg_constraint k where k.conrelid = format('%I.%I', $1, $2)::regclass and k.contype = 'p'
       and octet_length($2 || '_pkey') <= 63 and to_regclass(format('%I.%I', $1, $2 || '_pkey')) is null`,
    [output.schema, output.name],
  );
  for (const { statement } of rows) await client.query(statement);
}
