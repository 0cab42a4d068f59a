import pg from 'pg';
import { notFound } from '../../errors.ts';
import type { Catalogue, SourceSchema } from '../contract.ts';
import type { Connect } from './bulk-source.ts';
import { fieldTypeOf } from './field-type.ts';
import { withClient } from './with-client.ts';

/**
 * What a user can read: tables, partitioned tables (not their partitions), views, materialized views and
 * foreign tables, outside the system's schemas and but for what Tidemark keeps in a destination. The id is
 * `schema.table`, both names as they are.
 */
const relations = `
  select c.oid, n.nspname || '.' || c.relname as id, n.nspname as schema, c.relname as name
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
    and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'
    and c.relname not like '\\_tidemark\\_%'
    and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')`;

interface ColumnRow {
  id: string;
  relation: string;
  name: string;
  type: string;
  category: string;
  nullable: boolean;
  primary: boolean;
}

export function catalogue(connect: Connect): Catalogue {
  return {
    schemas: () => withClient(connect, 'tidemark catalogue', readSchemas),
    records: (schemaId, limit) =>
      withClient(connect, 'tidemark sample', async (client) => {
        const { rows } = await client.query<{ schema: string; name: string }>(
          `select schema, name from (${relations}) r where id = $1 limit 1`,
          [schemaId],
        );
        const [table] = rows;
        if (table === undefined) throw notFound('schema', schemaId);
        const from = `${pg.escapeIdentifier(table.schema)}.${pg.escapeIdentifier(table.name)}`;
        const sample = await client.query<{ record: string }>(
          `select to_json(r)::text as record from (select * from ${from} limit ${Math.trunc(limit)}) r`,
        );
        return sample.rows.map(({ record }) => record);
      }),
  };
}

export async function readSchemas(client: pg.Client): Promise<SourceSchema[]> {
  const { rows } = await client.query<ColumnRow>(`
    select r.id, r.name as relation, a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
      t.typcategory::text || t.typname::text as category,
      not a.attnotnull as nullable, coalesce(a.attnum = any(k.conkey), false) as primary
    from (${relations}) r
    join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
    join pg_type t on t.oid = a.atttypid
    left join pg_constraint k on k.conrelid = r.oid and k.contype = 'p'
    order by r.schema, r.name, a.attnum`);
  return [...Map.groupBy(rows, (row) => row.id)].map(([id, columns]) => ({
    id,
    name: columns[0]?.relation ?? id,
    fields: columns.map((column) => ({
      name: column.name,
      type: fieldTypeOf(column.category),
      remoteType: column.type,
      nullable: column.nullable,
      primaryKey: column.primary,
    })),
  }));
}
