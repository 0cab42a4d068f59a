import type pg from 'pg';
import { notFound, TidemarkError } from '../../errors.ts';
import type { CopyRow } from '../../lib/copy-text.ts';
import { CopyOut } from '../../lib/pg-copy-out.ts';
import type { Catalogue, SourceSchema } from '../contract.ts';
import { sampledRows } from '../sampled.ts';
import { splitTableId, tableId } from '../table-id.ts';
import type { Connect } from './bulk-source.ts';
import { onlyItself, readable } from './bulk-table.ts';
import { destroy } from './client.ts';
import { fieldTypeOf } from './field-type.ts';
import { rowsHidden } from './rows-hidden.ts';
import { shownType } from './shown-type.ts';
import { ask, withOurPath } from './transaction.ts';
import { withReader } from './with-client.ts';

/**
 * What a user can read: tables, partitioned tables (not their partitions), views, materialized views and
 * foreign tables, outside the system's schemas and but for what Tidemark keeps in a destination. Of a table of which single
 * columns were granted, those.
 */
const relations = `
  select c.oid, n.nspname as schema, c.relname as name, c.relkind as kind, has_table_privilege(c.oid, 'select') as whole
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
    and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'
    and c.relname not like '\\_tidemark\\_%'
    and has_schema_privilege(n.oid, 'usage') and has_any_column_privilege(c.oid, 'select')`;

interface ColumnRow {
  schema: string;
  relation: string;
  name: string;
  type: string;
  category: string;
  nullable: boolean;
  primary: boolean;
}

export function catalogue(connect: Connect): Catalogue {
  return {
    schemas: () => withReader(connect, 'tidemark catalogue', readSchemas, { path: 'system' }),
    records: (schemaId, limit) =>
      withReader(
        connect,
        'tidemark sample',
        async (client) => {
          const { rows } = await ask<{ name: string; columns: string }>(
            client,
            `select format('%s%I.%I', ${onlyItself('r.kind', 'r.oid')}, schema, name) as name, (
             select string_agg(quote_ident(a.attname), ', ' order by a.attnum) from pg_attribute a
             where a.attrelid = r.oid and ${readable('r.whole')}) as columns
           from (${relations}) r where schema = $1 and name = $2`,
            splitTableId(schemaId),
          );
          const [table] = rows;
          if (table === undefined) throw notFound('schema', schemaId);
          const first = `select ${table.columns} from ${table.name} limit ${Math.trunc(limit)}`;
          const json = `select pg_catalog.to_json(r)::pg_catalog.text from (${first}) r`;
          const records = await withOurPath(client, () => sampleOf(client, json)).catch((error: unknown) => {
            throw rowsHidden(error) ?? error;
          });
          return records.map(([record]) => record ?? 'null');
        },
        { path: 'system' },
      ),
  };
}

/** A few rows. */
export async function sampleOf(client: pg.Client, select: string): Promise<CopyRow[]> {
  try {
    return await sampledRows(client.query(new CopyOut(`copy (${select}) to stdout`, false)));
  } catch (error) {
    // It would go on sending.
    if (error instanceof TidemarkError) destroy(client);
    throw error;
  }
}

export async function readSchemas(client: pg.Client): Promise<SourceSchema[]> {
  const { rows } = await ask<ColumnRow>(
    client,
    `
    select r.schema, r.name as relation, a.attname as name, ${shownType(client, 'a.atttypid', 'a.atttypmod', 't.typnamespace')} as type,
      t.typcategory::text || t.typname::text as category,
      not a.attnotnull as nullable, coalesce(a.attnum = any(k.conkey), false) as primary
    from (${relations}) r
    join pg_attribute a on a.attrelid = r.oid and ${readable('r.whole')}
    join pg_type t on t.oid = a.atttypid
    left join pg_constraint k on k.conrelid = r.oid and k.contype = 'p'
    order by r.schema, r.name, a.attnum`,
  );
  return [...Map.groupBy(rows, (row) => tableId(row.schema, row.relation))].map(([id, columns]) => ({
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
