import type { BulkColumn, BulkOutput, TargetCreation } from '../contract.ts';
import { tableId } from '../table-id.ts';
import { collated, definitions, outputColumns } from './bulk-columns.ts';
import { checkNames } from './bulk-names.ts';
import { type Connect, rowsOf, withConnection } from './client.ts';
import { columnsOf, findTable, systemDatabases } from './columns.ts';
import { demandsKeys, ownKey } from './own-key.ts';
import { identifier, qualified } from './quote.ts';
import { exactCollation } from './server-version.ts';

export function targetCreation(connect: Connect, database: string | undefined): TargetCreation {
  return {
    schemas: async () => {
      if (database) return [database];
      return withConnection(connect, async (connection) => {
        const rows = await rowsOf<{ name: string }>(
          connection,
          `select schema_name as name from information_schema.schemata
           where schema_name not in ${systemDatabases} order by 1`,
        );
        return rows.map(({ name }) => name);
      });
    },
    createTable: (output) =>
      withConnection(connect, async (connection) => {
        checkNames(output);
        const columns = definitions(output, await exactCollation(connection));
        const keyless = output.primaryKey.length === 0 && (await demandsKeys(connection));
        const body = keyless ? `${columns}, ${ownKey}` : columns;
        await connection.query(
          `create table if not exists ${qualified(output.schema, output.name)} (${body}) engine = InnoDB`,
        );
        return tableId(output.schema, output.name);
      }),
    addColumns: (object, columns) =>
      withConnection(connect, async (connection) => {
        const { database: schema, name } = await findTable(connection, object);
        const there = (await columnsOf(connection, { database: schema, name })).map((one) =>
          one.name.toLowerCase(),
        );
        const output = outputOf(
          schema,
          name,
          columns.filter((one) => !there.includes(one.outputName.toLowerCase())),
        );
        checkNames(output);
        const collation = await exactCollation(connection);
        const added = outputColumns(output).map(
          (one) => `add column ${identifier(one.name)} ${one.type}${collated(one.type, collation)} null`,
        );
        if (added.length > 0) {
          await connection.query(`alter table ${qualified(schema, name)} ${added.join(', ')}`);
        }
      }),
  };
}

function outputOf(schema: string, name: string, columns: BulkColumn[]): BulkOutput {
  return { schema, name, columns, primaryKey: [], origin: undefined };
}
