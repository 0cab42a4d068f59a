import type { Client } from 'pg';
import { notFound } from '../../errors.ts';
import type { TargetField, TargetObject } from '../contract.ts';
import { splitTableId, tableId } from '../table-id.ts';
import { notOffered, offered, type Rights } from '../target-modes.ts';
import { fieldTypeOf } from './field-type.ts';
import { functionsOf } from './model-matching.ts';
import { shownType } from './shown-type.ts';
import { ask, withSystemPath } from './transaction.ts';

/** In a view that PostgreSQL can write through, itself or by triggers: its bits for UPDATE, INSERT and DELETE. */
const through = 'pg_relation_is_updatable(c.oid, true)';
const may = (right: string, bit: number) =>
  `(has_any_column_privilege(c.oid, '${right}') and (c.relkind <> 'v' or ${through} & ${bit} <> 0))`;

/** Tables, views and what else one might take for a target, and which rights there are. */
const relations = `
  select c.oid, n.nspname as schema, c.relname as name, format('%I.%I', n.nspname, c.relname) as quoted, c.relhasrules,
    c.relkind::text as kind, c.relispartition as is_part, has_any_column_privilege(c.oid, 'select') as selects,
    ${may('insert', 8)} as inserts, ${may('update', 4)} as updates,
    has_table_privilege(c.oid, 'delete') and (c.relkind <> 'v' or ${through} & 16 <> 0) as deletes
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'
    and has_schema_privilege(n.oid, 'usage')`;

/** Those that a user can write to, partitioned tables included. */
export const writable = `select * from (${relations}) c
  where kind in ('r', 'p', 'v') and not is_part and (inserts or updates or deletes)`;

interface TargetRow extends Rights {
  schema: string;
  name: string;
  kind: string;
  is_part: boolean;
  /** Its user may select all columns. */
  copies: boolean;
  /** Its user may make the temporary tables that batches are staged in. */
  stages: boolean;
}

export async function listTargets(client: Client): Promise<TargetObject[]> {
  const { rows } = await ask<TargetRow>(
    client,
    `select schema, name, kind, is_part, selects, inserts, updates, deletes,
       has_table_privilege(oid, 'select') as copies,
       has_database_privilege(current_database(), 'temporary') as stages from (${relations}) c order by 1, 2`,
  );
  return rows.map((row) => {
    const id = tableId(row.schema, row.name);
    const never = reasonAgainst(row);
    return never === undefined ? offered(id, row, reasonAgainstReplace(row)) : notOffered(id, never);
  });
}

function reasonAgainst({ kind, is_part, stages, inserts, updates, deletes }: TargetRow): string | undefined {
  if (is_part) return 'it is a partition: name the table that it is a part of';
  if (kind === 'm') return 'it is a materialized view, which only its query fills';
  if (kind === 'f') return 'it is a foreign table, and its server keeps what a transaction here takes back';
  if (!stages) return "the connection's user has no TEMPORARY on the database";
  return kind !== 'v' || inserts || updates || deletes
    ? undefined
    : 'it is a view that cannot be written through, or not by the user of the connection';
}

/** It locks and copies a table. */
function reasonAgainstReplace({ kind, selects, copies }: TargetRow): { replace?: string } {
  if (kind === 'v') return { replace: 'it is a view, and mode replace copies a table' };
  if (copies || !selects) return {};
  return { replace: "the connection's user has SELECT on some of its columns only" };
}

/** A table as the target of a sync. */
export interface Target {
  /** Quoted, with its schema. */
  table: string;
  fields: TargetField[];
  /**
   * By field, its type without length or precision. Values are read as this and then assigned to the column: an
   * explicit cast to `varchar(3)` would cut them off in silence, an assignment refuses them. An interval keeps its
   * fields, which say what a number without a unit is: 5 is five years in an `interval year`, else five seconds.
   */
  baseTypes: ReadonlyMap<string, string>;
  /** By field, what it is kept as: of a domain the type below it. */
  keptTypes: ReadonlyMap<string, string>;
  /** Fields that no two rows share. */
  uniqueFields: ReadonlySet<string>;
  /** Fields whose values an index finds. */
  indexedFields: ReadonlySet<string>;
  /** Rules or policies have a say in what an INSERT does; COPY passes by the ones and refuses to work with the others. */
  insertsAreAltered: boolean;
}

interface ColumnRow {
  name: string;
  type: string;
  base_type: string;
  kept_type: string;
  category: string;
  comparable: boolean;
  is_unique: boolean;
  is_indexed: boolean;
  not_null: boolean;
  has_default: boolean;
  written_by_database: boolean;
  selects: boolean;
  inserts: boolean;
  updates: boolean;
}

/** @throws not_found */
export function describeTarget(client: Client, object: string): Promise<Target> {
  return withSystemPath(client, () => describe(client, object));
}

async function describe(client: Client, object: string): Promise<Target> {
  const found = await ask<{ oid: number; quoted: string; altered: boolean; is_view: boolean }>(
    client,
    `select oid, quoted, kind = 'v' as is_view, relhasrules or row_security_active(oid) as altered
     from (${writable}) t where schema = $1 and name = $2`,
    splitTableId(object),
  );
  const [table] = found.rows;
  if (table === undefined) throw notFound('target object', object);
  const { rows } = await ask<ColumnRow>(
    client,
    `select a.attname as name, ${shownType(client, 'a.atttypid', 'a.atttypmod', 't.typnamespace')} as type,
       format_type(a.atttypid, case when a.atttypid in ('interval'::regtype, 'interval[]'::regtype) then a.atttypmod
         else -1 end) as base_type,
       (with recursive k as (select a.atttypid as id, a.atttypmod as modifier union all
          select d.typbasetype, d.typtypmod from k join pg_type d on d.oid = k.id where d.typtype = 'd')
        select ${shownType(client, 'k.id', 'k.modifier', 'd.typnamespace')} from k join pg_type d on d.oid = k.id where d.typtype <> 'd') as kept_type,
       t.typcategory::text || t.typname::text as category,
       t.typname not in ('json', 'xml', 'point', 'lseg', 'line', 'box', 'path', 'polygon', 'circle') as comparable,
       exists (select from pg_index i where i.indrelid = a.attrelid and i.indisunique and i.indisvalid
         and i.indnkeyatts = 1 and i.indkey[0] = a.attnum and i.indpred is null) as is_unique,
       exists (select from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam
         where i.indrelid = a.attrelid and i.indisvalid and i.indkey[0] = a.attnum and i.indpred is null
         and m.amname in ('btree', 'hash')) as is_indexed,
       a.attnotnull as not_null, a.atthasdef or a.attidentity <> '' as has_default,
       a.attgenerated <> '' or a.attidentity = 'a' as written_by_database,
       has_column_privilege(a.attrelid, a.attnum, 'select') as selects,
       has_column_privilege(a.attrelid, a.attnum, 'insert') as inserts,
       has_column_privilege(a.attrelid, a.attnum, 'update') as updates
     from pg_attribute a join pg_type t on t.oid = a.atttypid
     where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [table.oid],
  );
  return {
    table: table.quoted,
    fields: rows.map((row) => toField(row, table.is_view)),
    baseTypes: new Map(rows.map(({ name, base_type }) => [name, base_type])),
    keptTypes: new Map(rows.map(({ name, kept_type }) => [name, kept_type])),
    uniqueFields: new Set(rows.flatMap(({ name, is_unique }) => (is_unique ? [name] : []))),
    indexedFields: new Set(rows.flatMap(({ name, is_indexed }) => (is_indexed ? [name] : []))),
    insertsAreAltered: table.altered,
  };
}

function toField(row: ColumnRow, isView: boolean): TargetField {
  const functions = isView ? (['Equality'] as const) : functionsOf(row.type.replace(/\(\d+\)/, ''));
  return {
    id: row.name,
    name: row.name,
    type: fieldTypeOf(row.category),
    remoteType: row.type,
    nullable: !row.not_null,
    required: row.not_null && !row.has_default,
    createable: !row.written_by_database && row.inserts,
    updateable: !row.written_by_database && row.updates,
    filterable: true,
    identityFunctions: row.comparable && row.selects ? functions : [],
  };
}
