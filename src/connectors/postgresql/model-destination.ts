import type { Client } from 'pg';
import { notFound } from '../../errors.ts';
import type { ModelDestination, ModelSyncMode, TargetField, TargetObject } from '../contract.ts';
import type { Connect } from './bulk-source.ts';
import { fieldTypeOf } from './field-type.ts';
import { modelWriter } from './model-writer.ts';
import { withClient } from './with-client.ts';

const modes: ModelSyncMode[] = ['create', 'update', 'updateOrCreate', 'append'];

/** Tables that a user can write to, partitioned ones included. */
const tables = `
  select c.oid, n.nspname || '.' || c.relname as id, format('%I.%I', n.nspname, c.relname) as quoted
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and not c.relispartition
    and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'
    and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'insert, update')`;

interface ColumnRow {
  name: string;
  type: string;
  category: string;
  not_null: boolean;
  has_default: boolean;
  written_by_database: boolean;
}

export function modelDestination(connect: Connect): ModelDestination {
  return {
    objects: () =>
      withClient(connect, 'tidemark targets', async (client): Promise<TargetObject[]> => {
        const { rows } = await client.query<{ id: string }>(`select id from (${tables}) t order by id`);
        return rows.map(({ id }) => ({ id, name: id, modes }));
      }),
    fields: (object) =>
      withClient(
        connect,
        'tidemark targets',
        async (client) => (await describeTarget(client, object)).fields,
      ),
    async writer(definition) {
      const target = await withClient(connect, 'tidemark targets', (client) =>
        describeTarget(client, definition.object),
      );
      return modelWriter(connect, target, definition);
    },
  };
}

export interface Target {
  /** Quoted, with its schema. */
  table: string;
  fields: TargetField[];
}

async function describeTarget(client: Client, object: string): Promise<Target> {
  const found = await client.query<{ oid: number; quoted: string }>(
    `select oid, quoted from (${tables}) t where id = $1`,
    [object],
  );
  const [table] = found.rows;
  if (table === undefined) throw notFound('target object', object);
  const { rows } = await client.query<ColumnRow>(
    `select a.attname as name, format_type(a.atttypid, a.atttypmod) as type, t.typcategory::text || t.typname::text as category,
       a.attnotnull as not_null, a.atthasdef or a.attidentity <> '' as has_default,
       a.attgenerated <> '' or a.attidentity = 'a' as written_by_database
     from pg_attribute a join pg_type t on t.oid = a.atttypid
     where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [table.oid],
  );
  return { table: table.quoted, fields: rows.map(toField) };
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
    supportsIdentity: true,
  };
}
