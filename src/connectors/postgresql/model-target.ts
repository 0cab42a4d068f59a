import type { Client } from 'pg';
import { notFound } from '../../errors.ts';
import type { ModelSyncMode, TargetField } from '../contract.ts';
import { splitTableId } from '../table-id.ts';
import { fieldTypeOf } from './field-type.ts';
import { functionsOf } from './model-matching.ts';

/** In a view that PostgreSQL can write through, itself or by triggers: its bits for UPDATE, INSERT and DELETE. */
const through = 'pg_relation_is_updatable(c.oid, true)';
const may = (right: string, bit: number) =>
  `(has_any_column_privilege(c.oid, '${right}') and (c.relkind <> 'v' or ${through} & ${bit} <> 0))`;

/** Tables and views that a user can write to, partitioned tables included, and which rights there are. */
export const writableTables = `
  select * from (
    select c.oid, n.nspname as schema, c.relname as name, format('%I.%I', n.nspname, c.relname) as quoted, c.relhasrules,
      c.relkind = 'v' as is_view, has_any_column_privilege(c.oid, 'select') as selects,
      ${may('insert', 8)} as inserts, ${may('update', 4)} as updates,
      has_table_privilege(c.oid, 'delete') and (c.relkind <> 'v' or ${through} & 16 <> 0) as deletes
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v') and not c.relispartition
      and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'
      and has_schema_privilege(n.oid, 'usage')
  ) c where inserts or updates or deletes`;

export interface Rights {
  is_view: boolean;
  selects: boolean;
  inserts: boolean;
  updates: boolean;
  deletes: boolean;
}

/** A mode is offered where the connection's user may do what it takes. A replacement needs a table to lock and to copy. */
export function modesOf({ is_view, selects, inserts, updates, deletes }: Rights): ModelSyncMode[] {
  const needed: Record<ModelSyncMode, boolean> = {
    create: inserts && selects,
    update: updates && selects,
    updateOrCreate: inserts && updates && selects,
    append: inserts,
    replace: inserts && updates && deletes && selects && !is_view,
    remove: deletes && selects,
  };
  return (Object.keys(needed) as ModelSyncMode[]).filter((mode) => needed[mode]);
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
  inserts: boolean;
  updates: boolean;
}

/** @throws not_found */
export async function describeTarget(client: Client, object: string): Promise<Target> {
  const found = await client.query<{ oid: number; quoted: string; altered: boolean; is_view: boolean }>(
    `select oid, quoted, is_view, relhasrules or row_security_active(oid) as altered
     from (${writableTables}) t where schema = $1 and name = $2`,
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
       a.attgenerated <> '' or a.attidentity = 'a' as written_by_database,
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
  const functions = isView ? (['Equality'] as const) : functionsOf(row.base_type);
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
    identityFunctions: row.comparable ? functions : [],
  };
}
