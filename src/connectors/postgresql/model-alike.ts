import type { Client } from 'pg';
import { encodeCopyText } from '../../lib/copy-text.ts';
import type { AlikeIdentities, TargetDefinition } from '../contract.ts';
import { eachGroup } from '../identity-groups.ts';
import type { Connect } from './bulk-source.ts';
import { copyInto } from './model-stage.ts';
import type { Target } from './model-target.ts';
import { ask, targetOptions } from './transaction.ts';
import { begun, leave, withReader } from './with-client.ts';

const staged = 'pg_temp.tidemark_alike';
/** From which on a server says whether a text can be read as a type. */
const saysIsValid = 160_000;
/** Keys that are fetched at a time. */
const fetched = 10_000;

/** Undefined where the column's texts are equal when they are the same bytes. */
export async function alikeIdentities(
  connect: Connect,
  target: Target,
  { identity }: TargetDefinition,
): Promise<AlikeIdentities | undefined> {
  const type = target.baseTypes.get(identity ?? '');
  if (identity === undefined || type === undefined) return undefined;
  const isBytewise = await withReader(connect, 'tidemark targets', (client) =>
    comparesBytes(client, target, identity),
  );
  if (isBytewise) return undefined;
  return async function* alike(keys) {
    const client = await begun(connect, 'tidemark identities', 'write', targetOptions);
    let left = false;
    try {
      await client.query(`create temporary table tidemark_alike (k text collate "C") on commit drop`);
      for await (const some of keys) {
        await copyInto(
          client,
          `copy ${staged} from stdin`,
          Buffer.from(encodeCopyText(some.map((key) => [key]))),
        );
      }
      await client.query(await grouping(client, target, identity, type));
      yield* eachGroup(() => next(client));
      await client.query('commit');
      left = true;
      await leave(connect, client);
    } finally {
      if (!left) await client.end().catch(() => {});
    }
  };
}

async function next(client: Client): Promise<{ key: string; group: string }[]> {
  const { rows } = await client.query<{ key: string; group: string }>(`fetch ${fetched} from alike`);
  return rows;
}

async function comparesBytes(client: Client, { table }: Target, identity: string): Promise<boolean> {
  const { rows } = await ask<{ bytewise: boolean }>(
    client,
    `select a.atttypid in ('text'::regtype, 'varchar'::regtype) and coalesce(c.collisdeterministic, true) as bytewise
     from pg_attribute a left join pg_collation c on c.oid = a.attcollation
     where a.attrelid = $1::regclass and a.attname = $2`,
    [table, identity],
  );
  return rows[0]?.bytewise === true;
}

/** Texts that are no values of the type are left to whoever sends them. */
async function grouping(client: Client, { table }: Target, identity: string, type: string): Promise<string> {
  const { rows } = await ask<{ version: number; collation: string | null; literal: string }>(
    client,
    `select current_setting('server_version_num')::int as version, quote_literal($3::text) as literal,
       (select format('%I.%I', n.nspname, c.collname) from pg_attribute a join pg_collation c on c.oid = a.attcollation
        join pg_namespace n on n.oid = c.collnamespace
        where a.attrelid = $1::regclass and a.attname = $2) as collation`,
    [table, identity, type],
  );
  const [{ version, collation, literal } = { version: 0, collation: null, literal: '' }] = rows;
  if (version < saysIsValid) {
    await client.query(`create function pg_temp.tidemark_read(k text) returns ${type} language plpgsql as
      $$ begin return k::${type}; exception when others then return null; end $$`);
  }
  const read =
    version < saysIsValid
      ? 'pg_temp.tidemark_read(k)'
      : `case when pg_input_is_valid(k, ${literal}) then k::${type} end`;
  const value = collation === null ? read : `(${read}) collate ${collation}`;
  return `declare alike no scroll cursor for
    select k as key, min(k) over same as "group" from (
      select k, ${value} as c, count(*) over (partition by ${value}) as n from ${staged}) s
    where n > 1 and c is not null window same as (partition by c) order by 2, 1`;
}
