import pg, { type Client } from 'pg';
import type { TableFacts } from '../contract.ts';
import { ask } from './transaction.ts';

interface FactsRow {
  server: string;
  table: string;
  storage: string | null;
  definition: string | null;
  parts: Record<string, string> | null;
}

/**
 * A standby has the identifiers of its primary, a restored dump has others. `relfilenode` changes with TRUNCATE, which may
 * bring back rows with any time, and with VACUUM FULL, which is rare and cannot be told from it. A materialized view has a
 * new one after each refresh.
 */
export async function readFacts(client: Client, oid: number): Promise<TableFacts> {
  const { rows } = await ask<FactsRow>(
    client,
    `select concat_ws(' ', d.oid, d.datname) as server, c.oid::text as table,
       case when c.relkind = 'r' then c.relfilenode::text end as storage,
       case c.relkind when 'v' then md5(pg_get_viewdef(c.oid))
         when 'f' then (select md5(concat_ws(' ', f.ftserver, f.ftoptions)) from pg_foreign_table f where f.ftrelid = c.oid)
       end as definition,
       case when c.relkind = 'p' then (select jsonb_object_agg(p.oid::text, p.relfilenode::text)
         from pg_partition_tree(c.oid) t join pg_class p on p.oid = t.relid where t.isleaf) end as parts
     from pg_class c, pg_database d where c.oid = $1 and d.datname = current_database()`,
    [oid],
  );
  const [row] = rows;
  if (row === undefined) return {};
  const { server, table, storage, definition, parts } = row;
  return {
    server: [await systemIdentifier(client), server].filter((part) => part !== undefined).join(' '),
    table,
    ...(storage === null ? {} : { storage }),
    ...(definition === null ? {} : { definition }),
    ...(parts === null ? {} : { parts }),
  };
}

/** Undefined where the server does not let everybody know, or has nothing of the kind. */
async function systemIdentifier(client: Client): Promise<string | undefined> {
  try {
    const results = (await client.query(
      'savepoint server; select system_identifier::text as id from pg_control_system(); release savepoint server',
    )) as unknown as pg.QueryResult<{ id: string }>[];
    return results[1]?.rows[0]?.id;
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    await client.query('rollback to savepoint server; release savepoint server');
    return undefined;
  }
}

/**
 * `version` of each column, by name. A column that was dropped and recreated has another number, values of a generated
 * column may change without any row being touched, and what is above and below in a text depends on its collation.
 */
export async function readVersions(client: Client, oid: number): Promise<Map<string, string>> {
  const { rows } = await ask<{ name: string; version: string }>(
    client,
    `select a.attname as name, concat_ws(' ', a.attnum,
       case when a.attcollation <> 0 then concat_ws(' ', l.collname, l.collversion,
         case when l.collname = 'default' then d.datcollate end) end,
       case when a.attgenerated <> '' then md5(pg_get_expr(e.adbin, e.adrelid)) end) as version
     from pg_attribute a
     join pg_database d on d.datname = current_database()
     left join pg_collation l on l.oid = a.attcollation
     left join pg_attrdef e on e.adrelid = a.attrelid and e.adnum = a.attnum
     where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped`,
    [oid],
  );
  return new Map(rows.map(({ name, version }) => [name, version]));
}
