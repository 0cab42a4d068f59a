import { sql } from 'kysely';
import type { Database, Transaction } from '../db/index.ts';
import type { ColumnName, GivenName, SchemaSettings, SelectedSchema } from './bulk-sync.ts';

/** The schemas of a sync, by id. The caller has made sure that the sync is the organization's. */
export async function selectedSchemas(db: Database | Transaction, syncId: string): Promise<SelectedSchema[]> {
  const rows = await db
    .selectFrom('bulk_sync_schemas')
    .select(['id', 'enabled', 'configuration', 'output', 'column_names'])
    .where('bulk_sync_id', '=', syncId)
    .orderBy('id')
    .execute();
  return rows.map(({ id, enabled, configuration, output, column_names: names }) => ({
    id,
    enabled,
    settings: configuration as unknown as SchemaSettings,
    output: (output as unknown as GivenName | null) ?? undefined,
    columnNames: (names as unknown as ColumnName[] | null) ?? [],
  }));
}

/** Adds schemas, or replaces what was set of them. */
export async function saveSchemas(
  db: Database | Transaction,
  syncId: string,
  schemas: readonly SelectedSchema[],
): Promise<void> {
  const rows = schemas.map(({ id, enabled, settings }) => ({ id, enabled, configuration: settings }));
  // One parameter, however many schemas: a statement takes 65,535 at most.
  await sql`
    insert into bulk_sync_schemas (bulk_sync_id, id, enabled, configuration)
    select ${syncId}::uuid, id, enabled, configuration
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row (id text, enabled boolean, configuration jsonb)
    on conflict (bulk_sync_id, id) do update
    set enabled = excluded.enabled, configuration = excluded.configuration
  `.execute(db);
}

/** Keeps the names that schemas were given. */
export async function saveOutputs(
  tx: Transaction,
  syncId: string,
  outputs: readonly (GivenName & { id: string })[],
): Promise<void> {
  await sql`
    update bulk_sync_schemas as schema
    set output = jsonb_build_object('schema', given.schema, 'name', given.name, 'naming', given.naming)
    from jsonb_to_recordset(${JSON.stringify(outputs)}::jsonb) as given (id text, schema text, name text, naming text)
    where schema.bulk_sync_id = ${syncId}::uuid and schema.id = given.id
  `.execute(tx);
}

/** Keeps the names that a schema's columns were given. */
export async function saveColumnNames(
  tx: Transaction,
  syncId: string,
  schemaId: string,
  names: readonly ColumnName[],
): Promise<void> {
  await tx
    .updateTable('bulk_sync_schemas')
    .set({ column_names: JSON.stringify(names) })
    .where('bulk_sync_id', '=', syncId)
    .where('id', '=', schemaId)
    .execute();
}
