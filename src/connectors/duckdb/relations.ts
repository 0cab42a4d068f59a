import { notFound } from '../../errors.ts';
import { type Engine, identifier, literal, type ReadColumn } from '../duckdb-engine/index.ts';
import { tableId } from '../table-id.ts';
import { keptKeys } from './state.ts';

/** A table or view of the file; Tidemark's own are none of them. */
export interface Relation {
  id: string;
  schema: string;
  name: string;
  kind: 'table' | 'view';
  /** Undefined for a view. */
  estimatedRows: number | undefined;
}

export async function listRelations(engine: Engine): Promise<Relation[]> {
  const rows = await engine.query<{ schema: string; name: string; kind: 'table' | 'view'; n: string | null }>(
    `select schema_name as schema, table_name as name, 'table' as kind, estimated_size::varchar as n
       from duckdb_tables() where database_name = current_database() and not internal and not temporary
     union all
     select schema_name, view_name, 'view', null
       from duckdb_views() where database_name = current_database() and not internal and not temporary
     order by 1, 2`,
  );
  return rows
    .filter(({ name }) => !name.startsWith('_tidemark_'))
    .map(({ n, ...relation }) => ({
      ...relation,
      id: tableId(relation.schema, relation.name),
      estimatedRows: n === null ? undefined : Number(n),
    }));
}

/** @throws not_found */
export async function findRelation(engine: Engine, id: string): Promise<Relation> {
  const relation = (await listRelations(engine)).find((one) => one.id === id);
  if (relation === undefined) throw notFound('schema', id);
  return relation;
}

/** As it stands in statements: with the database, which may have the name of a schema. */
export function qualified({ database }: Engine, { schema, name }: { schema: string; name: string }): string {
  return [database, schema, name].map(identifier).join('.');
}

/** Names this table among those of all files of this machine. */
export function originOf(file: string, { schema, name }: { schema: string; name: string }): string {
  return `duckdb ${file} ${JSON.stringify([schema, name])}`;
}

/** Primary keys, in key order, by the id of the table: those that DuckDB enforces, and those that loads kept. */
export async function primaryKeys(engine: Engine): Promise<Map<string, string[]>> {
  const rows = await engine.query<{ schema: string; name: string; key: string }>(
    `select schema_name as schema, table_name as name, to_json(constraint_column_names)::varchar as key
     from duckdb_constraints() where database_name = current_database() and constraint_type = 'PRIMARY KEY'`,
  );
  const enforced = rows.map(
    ({ schema, name, key }) => [tableId(schema, name), JSON.parse(key) as string[]] as const,
  );
  return new Map([...(await keptKeys(engine)), ...enforced]);
}

/** Names of a relation's columns that take NULL. */
export async function nullableColumns(engine: Engine, { schema, name }: Relation): Promise<Set<string>> {
  const rows = await engine.query<{ name: string }>(
    `select column_name as name from duckdb_columns() where database_name = current_database()
     and schema_name = ${literal(schema)} and table_name = ${literal(name)} and is_nullable`,
  );
  return new Set(rows.map((row) => row.name));
}

export function columnsOf(engine: Engine, relation: { schema: string; name: string }): Promise<ReadColumn[]> {
  return engine.columns(`select * from ${qualified(engine, relation)}`);
}
