import { notFound } from '../../errors.ts';
import type { TargetCreation } from '../contract.ts';
import { tableColumns } from '../duckdb-engine/index.ts';
import { tableId } from '../table-id.ts';
import { checkNames, refuse } from './bulk-names.ts';
import { type Database, withReader } from './database.ts';
import { listRelations, qualified } from './relations.ts';

/** Without a key: DuckDB would keep an index for it in memory. */
export function targetCreation(database: Database): TargetCreation {
  return {
    schemas: () =>
      withReader(
        database,
        () => ['main'],
        async (engine) => {
          const rows = await engine.query<{ name: string }>(
            `select schema_name as name from duckdb_schemas()
             where database_name = current_database() and schema_name not in ('information_schema', 'pg_catalog') order by schema_name <> 'main', 1`,
          );
          return rows.map(({ name }) => name);
        },
      ),
    async createTable(output) {
      for (const name of [output.schema, output.name, ...output.columns.map((one) => one.outputName)]) {
        if (name === '' || name.includes('\0')) refuse(`${JSON.stringify(name)} can be no name`);
      }
      checkNames(output);
      const engine = await database.writer();
      try {
        await engine.run(
          `create table if not exists ${qualified(engine, output)} (${tableColumns(output.columns)})`,
        );
      } finally {
        await engine.close();
      }
      return tableId(output.schema, output.name);
    },
    async addColumns(object, columns) {
      const engine = await database.writer();
      try {
        const relation = (await listRelations(engine)).find(
          ({ id, kind }) => id === object && kind === 'table',
        );
        if (relation === undefined) throw notFound('target object', object);
        for (const column of columns) {
          await engine.run(
            `alter table ${qualified(engine, relation)} add column if not exists ${tableColumns([column])}`,
          );
        }
      } finally {
        await engine.close();
      }
    },
  };
}
