import type { Client } from 'pg';
import { notFound } from '../../errors.ts';
import type { BulkTable } from '../contract.ts';
import { splitTableId } from '../table-id.ts';
import { readFacts, readVersions } from './bulk-facts.ts';
import { ask, keepsBytes, withOurPath } from './transaction.ts';

/** A table, view or anything else one can select from. */
export interface Relation {
  oid: number;
  /** Quoted and qualified, to stand behind FROM: a table without those that inherit from it, which are tables themselves. */
  name: string;
  kind: string;
  /** Its size on disk, partitions included; 0 for views and foreign tables. */
  pages: number;
  /** Rows as of the last ANALYZE; below zero: never analyzed. */
  estimate: number;
  origin: string;
}

/**
 * Names relation `c` among those of all servers: no two servers start in the same microsecond. (The system
 * identifier would be the same on a standby and its primary, which is right, but also on every copy of a disk.)
 */
export const originExpression = `concat_ws(' ', extract(epoch from pg_postmaster_start_time()),
  (select oid from pg_database where datname = current_database()), c.oid)`;

/**
 * Of a relation's kind and oid, an expression for what stands before its name. What partitions have is the table's own, and so
 * is what an extension keeps in tables of its own, as TimescaleDB does in chunks.
 */
export function onlyItself(kind: string, oid: string): string {
  return `case when ${kind} in ('r', 'f') and not exists (
      select from pg_inherits i join pg_class child on child.oid = i.inhrelid
        left join pg_depend e on e.classid = 'pg_namespace'::regclass and e.objid = child.relnamespace and e.deptype = 'e'
      where i.inhparent = ${oid} and (e.objid is not null or child.relname ~ '^_hyper_[0-9]+_[0-9]+_chunk$'))
    then 'only ' else '' end`;
}

/** Whether an attribute `a` is a column that can be read. @param whole an expression: whether all of the table can be. */
export function readable(whole: string): string {
  return `a.attnum > 0 and not a.attisdropped and (${whole} or has_column_privilege(a.attrelid, a.attnum, 'select'))`;
}

interface ColumnRow {
  name: string;
  /** Where single columns were granted, the others are not there for us. */
  readable: boolean;
  type: string;
  nullable: boolean;
  /** Position in the primary key, null outside it. */
  key: number | null;
}

/**
 * The columns of a relation with the type that carries each to another server. Types every server has travel
 * as they are; a domain as its base type; what only this server knows (enums, composites, types of
 * extensions) and what refers to its catalogue by oid (regclass, …) as text, their arrays as text[]. (types.ts
 * says it for people.)
 */
const columnsQuery = `
select a.attname as name, has_column_privilege(a.attrelid, a.attnum, 'select') as readable, not a.attnotnull as nullable, key.position as key,
  case when element.typname = 'money' and element.oid < 16384 then replace(format_type(base.type, null), 'money', 'numeric')
    when carried.self then format_type(base.type, base.modifier)
    when t.typcategory = 'A' then 'text[]' else 'text' end as type
from pg_attribute a
cross join lateral (
  with recursive chain (type, modifier) as (
    select a.atttypid, a.atttypmod
    union all
    select d.typbasetype, d.typtypmod from chain join pg_type d on d.oid = chain.type where d.typtype = 'd'
  )
  select chain.type, chain.modifier from chain join pg_type d on d.oid = chain.type where d.typtype <> 'd'
) base
join pg_type t on t.oid = base.type
join pg_type element on element.oid = case when t.typcategory = 'A' then t.typelem else t.oid end
cross join lateral (
  select element.oid < 16384 and element.typnamespace = 'pg_catalog'::regnamespace
    and element.typtype in ('b', 'r', 'm') and element.typsend <> 0
    and (element.typcategory <> 'Z' or element.typname = 'char') and element.typname not like 'reg%' as self
) carried
left join lateral (
  select array_position(i.indkey::int2[], a.attnum) as position
  from pg_index i where i.indrelid = a.attrelid and i.indisprimary
) key on key.position < (select i.indnkeyatts from pg_index i where i.indrelid = a.attrelid and i.indisprimary)
where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped
order by a.attnum`;

/** @throws not_found when there is no such table, or none that this user can see. */
export async function findRelation(client: Client, schemaId: string): Promise<Relation> {
  const { rows } = await ask<Relation>(
    client,
    `select c.oid, format('%s%I.%I', ${onlyItself('c.relkind', 'c.oid')}, n.nspname, c.relname) as name, c.relkind as kind, c.reltuples as estimate,
       ceil(case when c.relkind in ('r', 'm') then pg_relation_size(c.oid)
         when c.relkind = 'p' then (select sum(pg_relation_size(relid)) from pg_partition_tree(c.oid) where isleaf)
         else 0 end / current_setting('block_size')::numeric)::float8 as pages, ${originExpression} as origin
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p', 'v', 'm', 'f')`,
    splitTableId(schemaId),
  );
  if (rows[0] === undefined) throw notFound('schema', schemaId);
  return rows[0];
}

/** @param columns names to read; undefined reads all. @throws not_found when the table is gone. */
export async function describeTable(
  client: Client,
  schemaId: string,
  columns: readonly string[] | undefined,
): Promise<BulkTable> {
  const relation = await findRelation(client, schemaId);
  const { oid, origin } = relation;
  const all = (await ask<ColumnRow>(client, columnsQuery, [oid])).rows;
  const versions = await readVersions(client, oid);
  const chosen = all.filter(
    ({ name, readable }) => readable && (columns === undefined || columns.includes(name)),
  );
  const key = all.filter((column) => column.key !== null).sort((a, b) => Number(a.key) - Number(b.key));
  return {
    schemaId,
    origin,
    facts: await readFacts(client, oid),
    columns: chosen.map(({ name, type, nullable }) => {
      const version = versions.get(name);
      return { name, outputName: name, type, nullable, ...(version === undefined ? {} : { version }) };
    }),
    // A key that lost a column does not identify rows any more.
    primaryKey: key.every((column) => chosen.includes(column)) ? key.map(({ name }) => name) : [],
    estimatedRows: await estimateRows(client, relation),
    formats: keepsBytes(client) ? ['copy-text'] : ['pg-binary', 'copy-text'],
  };
}

/**
 * The planner's estimate: it looks at the present size of a table and of its partitions, also of one that was never
 * analyzed. (Of one that is nearly empty it then thinks too much, and of views it knows nothing.)
 */
async function estimateRows(client: Client, relation: Relation): Promise<number | undefined> {
  const { kind, estimate, pages, name } = relation;
  if (kind === 'v') return undefined;
  if (kind !== 'f' && pages >= 10) {
    const { rows } = await withOurPath(client, () =>
      client.query<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(
        `explain (format json) select from ${name}`,
      ),
    );
    const planned = rows[0]?.['QUERY PLAN'][0].Plan['Plan Rows'];
    if (planned !== undefined) return planned;
  }
  return estimate < 0 ? undefined : estimate;
}
