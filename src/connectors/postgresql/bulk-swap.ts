import { setTimeout as sleep } from 'node:timers/promises';
import pg, { type Client } from 'pg';
import { TidemarkError } from '../../errors.ts';
import type { BulkOutput } from '../contract.ts';
import { originExpression } from './bulk-table.ts';

/** Milliseconds to wait for the live table's readers; while we wait, new readers queue up behind us. */
const lockTimeout = 2000;
const lockTries = 15;

interface LiveTable {
  oid: number;
  kind: string;
  origin: string;
  /** Views and foreign keys that would be lost with the table. */
  dependents: string[];
}

/** Whether the live table, if there is one, can be dropped. Asked before the load, which may take hours. */
export async function checkReplaceable(client: Client, output: BulkOutput): Promise<void> {
  const live = await findLive(client, output);
  if (live === undefined) return;
  const name = `${output.schema}.${output.name}`;
  if (live.origin === output.origin) {
    refuse(`${name} in the destination is the source table itself: choose another schema or a table prefix`);
  }
  if (live.kind !== 'r') refuse(`${name} exists in the destination and is not a plain table`);
  if (live.dependents.length > 0) {
    refuse(`${name} cannot be replaced because ${live.dependents.join(', ')} depends on it`);
  }
}

/** Puts the side table in the live one's place, with the same grants. Commits nothing. */
export async function swap(client: Client, output: BulkOutput, sideName: string): Promise<void> {
  const schema = pg.escapeIdentifier(output.schema);
  const side = `${schema}.${pg.escapeIdentifier(sideName)}`;
  const live = `${schema}.${pg.escapeIdentifier(output.name)}`;
  if (await lockLive(client, live)) {
    await checkReplaceable(client, output);
    await copyGrants(client, live, side);
    await client.query(`drop table ${live}`);
  }
  await client.query(`alter table ${side} rename to ${pg.escapeIdentifier(output.name)}`);
  await renameKey(client, output);
}

/**
 * Locks out readers, for the moment of the swap. Tries for a short time again and again: one long wait behind
 * a long query would make every new reader of the table wait as well.
 *
 * @returns false when there is no live table.
 */
async function lockLive(client: Client, live: string): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    await client.query(`savepoint swap; set local lock_timeout = ${lockTimeout}`);
    try {
      await client.query(`lock table ${live} in access exclusive mode`);
      return true;
    } catch (error) {
      const code = error instanceof pg.DatabaseError ? error.code : undefined;
      await client.query('rollback to savepoint swap');
      if (code === '42P01') return false;
      if (code !== '55P03') throw error;
      if (attempt === lockTries)
        refuse(`${live} stayed in use: its lock was not given in ${lockTries} tries`);
      await sleep(lockTimeout / 2);
    }
  }
}

async function findLive(client: Client, output: BulkOutput): Promise<LiveTable | undefined> {
  const { rows } = await client.query<LiveTable>(
    `select c.oid, c.relkind as kind, ${originExpression} as origin, array(
       select distinct pg_describe_object(d.classid, d.objid, 0) from (
         select 'pg_class'::regclass as classid, r.ev_class as objid
         from pg_depend p join pg_rewrite r on p.classid = 'pg_rewrite'::regclass and p.objid = r.oid
         where p.refclassid = 'pg_class'::regclass and p.refobjid = c.oid and r.ev_class <> c.oid
         union all
         select 'pg_constraint'::regclass, k.oid from pg_constraint k
         where k.confrelid = c.oid and k.conrelid <> c.oid and k.contype = 'f'
       ) d order by 1) as dependents
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relname = $2`,
    [output.schema, output.name],
  );
  return rows[0];
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

function refuse(reason: string): never {
  throw new TidemarkError('unprocessable', { reason });
}
