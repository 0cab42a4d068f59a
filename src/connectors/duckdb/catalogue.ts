import { notFound } from '../../errors.ts';
import type { Catalogue, SourceSchema } from '../contract.ts';
import { type Engine, identifier, literal, type ReadColumn } from '../duckdb-engine/index.ts';
import { sampledRows } from '../sampled.ts';
import { tableId } from '../table-id.ts';
import { type Database, withReader } from './database.ts';
import { fieldTypeOf } from './field-type.ts';
import { columnsOf, findRelation, listRelations, primaryKeys, qualified } from './relations.ts';

interface ColumnRow {
  schema: string;
  relation: string;
  name: string;
  type: string;
  nullable: boolean;
}

export function catalogue(database: Database): Catalogue {
  return {
    schemas: () => withReader(database, () => [], readSchemas),
    records: (schemaId, limit) =>
      withReader(
        database,
        () => {
          throw notFound('schema', schemaId);
        },
        async (engine) => {
          const relation = await findRelation(engine, schemaId);
          return sampleRecords(engine, await columnsOf(engine, relation), qualified(engine, relation), limit);
        },
      ),
  };
}

export async function readSchemas(engine: Engine): Promise<SourceSchema[]> {
  const relations = await listRelations(engine);
  const keys = await primaryKeys(engine);
  const rows = await engine.query<ColumnRow & { [key: string]: unknown }>(
    `select schema_name as schema, table_name as relation, column_name as name, data_type as type, is_nullable as nullable
     from duckdb_columns() where database_name = current_database() and not internal
     order by schema, relation, column_index`,
  );
  const columns = Map.groupBy(rows, ({ schema, relation }) => tableId(schema, relation));
  return relations.map(({ id, name }) => ({
    id,
    name,
    fields: (columns.get(id) ?? []).map((column) => ({
      name: column.name,
      type: fieldTypeOf(column.type),
      remoteType: column.type,
      nullable: column.nullable,
      primaryKey: keys.get(id)?.includes(column.name) ?? false,
    })),
  }));
}

/** A few rows as JSON objects. @param from what stands behind FROM. */
async function sampleRecords(
  engine: Engine,
  columns: readonly ReadColumn[],
  from: string,
  limit: number,
): Promise<string[]> {
  const members = columns.map(
    ({ name, json }) => `${literal(`${JSON.stringify(name)}:`)} || ${json(identifier(name))}`,
  );
  const select = `select '{' || ${members.join(` || ',' || `)} || '}' as record from ${from} limit ${Math.trunc(limit)}`;
  const rows = engine.read({ columns: await engine.columns(select), from: `(${select})` });
  return (await sampledRows(rows)).map(([record]) => record ?? 'null');
}
