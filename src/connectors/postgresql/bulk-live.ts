import { setTimeout as sleep } from 'node:timers/promises';
import pg, { type Client } from 'pg';
import type { BulkOutput, BulkTarget } from '../contract.ts';
import type { Attribute } from './bulk-attributes.ts';
import { qualified, refuse } from './bulk-names.ts';
import { originExpression } from './bulk-table.ts';
import { ask } from './transaction.ts';

/** Milliseconds to wait for the live table's users; while we wait, others queue up behind us. */
const lockTimeout = 2000;
const lockTries = 15;

/** What stands under the output's name in the destination. */
export interface LiveTable {
  oid: number;
  kind: string;
  origin: string;
  /** What would go with it, or keep it from being dropped: views, foreign keys, functions, columns of its type. */
  dependents: string[];
  foreignKeys: string[];
}

/** What is the table's own and depends on it all the same: an expression of a trigger on its columns, say. */
const ownObjects = [
  ['pg_rewrite', 'ev_class'],
  ['pg_constraint', 'conrelid'],
  ['pg_trigger', 'tgrelid'],
  ['pg_policy', 'polrelid'],
  ['pg_attrdef', 'adrelid'],
  ['pg_statistic_ext', 'stxrelid'],
  ['pg_publication_rel', 'prrelid'],
]
  .map(([catalogue, table]) => `select oid from ${catalogue} where ${table} = c.oid`)
  .concat('select indexrelid from pg_index where indrelid = c.oid')
  .join(' union all ');

export async function findLive(client: Client, { schema, name }: BulkTarget): Promise<LiveTable | undefined> {
  const { rows } = await ask<LiveTable>(
    client,
    `select c.oid, c.relkind as kind, ${originExpression} as origin,
       array(select distinct case when r.oid is null then pg_describe_object(p.classid, p.objid, p.objsubid)
           else pg_describe_object('pg_class'::regclass, r.ev_class, 0) end
         from pg_depend p left join pg_rewrite r on p.classid = 'pg_rewrite'::regclass and p.objid = r.oid
         where p.deptype = 'n' and (p.refclassid = 'pg_class'::regclass and p.refobjid = c.oid
             or p.refclassid = 'pg_type'::regclass and p.refobjid in (c.reltype, (select typarray from pg_type where oid = c.reltype)))
           and not (p.classid = 'pg_class'::regclass and p.objid = c.oid) and p.objid not in (${ownObjects})
         order by 1) as dependents,
       array(select pg_describe_object('pg_constraint'::regclass, k.oid, 0) from pg_constraint k
         where k.confrelid = c.oid and k.conrelid <> c.oid and k.contype = 'f' order by 1) as "foreignKeys"
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relname = $2`,
    [schema, name],
  );
  return rows[0];
}

/** Whether the live table can be dropped. Asked before the load, which may take hours, and again at its end. */
export function checkReplaceable(live: LiveTable, output: BulkOutput): void {
  checkWritable(live, output, ['r']);
  const { dependents } = live;
  if (dependents.length === 0) return;
  refuse(
    `${output.schema}.${output.name} cannot be replaced because ${dependents.join(', ')} depends on it: drop it, or set advanced.truncate_existing`,
  );
}

/** @throws unprocessable when the table is part of something that would lose it. */
export function checkUnbound(output: BulkOutput, attributes: readonly Attribute[]): void {
  const binding = attributes.filter(({ binds }) => binds).map(({ name }) => name);
  if (binding.length === 0) return;
  refuse(
    `${output.schema}.${output.name} cannot be replaced because it is ${binding.join(', ')}: set advanced.truncate_existing`,
  );
}

/** Whether rows of the live table can be written: it is a table, and not the source itself. */
export function checkWritable(
  live: LiveTable,
  output: BulkOutput,
  kinds: readonly string[] = ['r', 'p'],
): void {
  const name = `${output.schema}.${output.name}`;
  if (live.origin === output.origin) {
    refuse(`${name} in the destination is the source table itself: choose another schema or a table prefix`);
  }
  if (!kinds.includes(live.kind)) refuse(`${name} exists in the destination and is not a plain table`);
}

/**
 * Locks the live table for the rest of the transaction: against readers, or against writers only. Tries for a
 * short time again and again: one long wait behind a long query would make every new reader of the table wait
 * as well.
 *
 * @returns false when there is no live table.
 */
export async function lockLive(
  client: Client,
  target: BulkTarget,
  against: 'readers' | 'writers',
): Promise<boolean> {
  const live = qualified(target);
  const mode = against === 'readers' ? 'access exclusive' : 'share row exclusive';
  for (let attempt = 1; ; attempt++) {
    await client.query(`savepoint lock; set local lock_timeout = ${lockTimeout}`);
    try {
      await client.query(`lock table ${live} in ${mode} mode`);
      await client.query('set local lock_timeout = 0; release savepoint lock');
      return true;
    } catch (error) {
      const code = error instanceof pg.DatabaseError ? error.code : undefined;
      await client.query('rollback to savepoint lock');
      if (code === '42P01') return false;
      if (code !== '55P03') throw error;
      if (attempt === lockTries)
        refuse(`${live} stayed in use: its lock was not given in ${lockTries} tries`);
      await sleep(lockTimeout / 2);
    }
  }
}
