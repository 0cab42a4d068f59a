import type { Client } from 'pg';
import { notFound } from '../../errors.ts';
import type { TargetField } from '../contract.ts';
import { splitTableId } from '../table-id.ts';
import { fieldTypeOf } from './field-type.ts';
import { functionsOf } from './model-matching.ts';

/** Tables that a user can write to, partitioned ones included. */
export const writableTables = `
  select c.oid, n.nspname as schema, c.relname as name, format('%I.%I', n.nspname, c.relname) as quoted, c.relhasrules
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and not c.relispartition
    and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'
    and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'insert, update')`;

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
}

/** @throws not_found */
export async function describeTarget(client: Client, object: string): Promise<Target> {
  const found = await client.query<{ oid: number; quoted: string; altered: boolean }>(
    `select oid, quoted, relhasrules or row_security_active(oid) as altered from (${writableTables}) t where schema = $1 and name = $2`,
    splitTableId(object),
  );
  const [table] = found.rows;
  if (table === undefined) throw notFound('target object', object);
  const { rows } = await client.query<ColumnRow>(
    `select a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
       format_type(a.atttypid, case when a.atttypid in ('interval'::regtype, 'interval[]'::regtype) then a.atttypmod
         else -1 end) as base_type,
       (with recursive k as (select a.atttypid as id, a.atttypmod as modifier union all
          select d.typbasetype, d.typtypmod from k join pg_type d on d.oid = k.id where d.typtype = 'd')
        select format_type(k.id, k.modifier) from k join pg_type d on d.oid = k.id where d.typtype <> 'd') as kept_type,
       t.typcategory::text || t.typname::text as category,
       t.typname not in ('json', 'xml', 'point', 'lseg', 'line', 'box', 'path', 'polygon', 'circle') as comparable,
       exists (select from pg_index i where i.indrelid = a.attrelid and i.indisunique and i.indisvalid
         and i.indnkeyatts = 1 and i.indkey[0] = a.attnum and i.indpred is null) as is_unique,
       exists (select from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam
         where i.indrelid = a.attrelid and i.indisvalid and i.indkey[0] = a.attnum and i.indpred is null
         and m.amname in ('btree', 'hash')) as is_indexed,
       a.attnotnull as not_null, a.atthasdef or a.attidentity <> '' as has_default,
       a.attgenerated <> '' or a.attidentity = 'a' as written_by_database
     from pg_attribute a join pg_type t on t.oid = a.atttypid
     where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [table.oid],
  );
  return {
    table: table.quoted,
    fields: rows.map(toField),
    baseTypes: new Map(rows.map(({ name, base_type }) => [name, base_type])),
    keptTypes: new Map(rows.map(({ name, kept_type }) => [name, kept_type])),
    uniqueFields: new Set(rows.flatMap(({ name, is_unique }) => (is_unique ? [name] : []))),
    indexedFields: new Set(rows.flatMap(({ name, is_indexed }) => (is_indexed ? [name] : []))),
    insertsAreAltered: table.altered,
  };
}

function toField(row: ColumnRow): TargetField {
  return {
    id: row.name,
    name: row.name,
    type: fieldTypeOf(row.category),
    remoteType: row.type,
    nullable: !row.not_null,
    required: row.not_null && !row.has_default,
    createable: !row.written_by_database,
    updateable: !row.written_by_database,
    filterable: true,
    identityFunctions: row.comparable ? functionsOf(row.base_type) : [],
  };
}
