import type { Connection } from 'mysql2/promise';
import type { CopyRow } from '../../lib/copy-text.ts';
import { recordJson } from '../../lib/pg-text.ts';
import type { Catalogue, SourceSchema } from '../contract.ts';
import { sampledAtMost, sampledRows } from '../sampled.ts';
import { tableId } from '../table-id.ts';
import { type Connect, withConnection } from './client.ts';
import { allColumns, type Column, columnsOf, findTable } from './columns.ts';
import { qualified } from './quote.ts';
import { SelectedRows } from './row-stream.ts';
import { selected } from './selected.ts';

/** @param database the only one to show, where the connection names one. */
export function catalogue(connect: Connect, database: string | undefined): Catalogue {
  return {
    schemas: () => withConnection(connect, (connection) => readSchemas(connection, database)),
    records: (schemaId, limit) =>
      withConnection(connect, async (connection) => {
        const table = await findTable(connection, schemaId);
        const columns = await columnsOf(connection, table);
        const rows = await sampleRows(connection, columns, qualified(table.database, table.name), limit);
        const fields = columns.map(({ name, field: type, carrier: remoteType }) => ({
          name,
          type,
          remoteType,
        }));
        return rows.map((values) => recordJson(fields, values));
      }),
  };
}

export async function readSchemas(
  connection: Connection,
  database: string | undefined,
): Promise<SourceSchema[]> {
  const columns = await allColumns(connection, database);
  return [...Map.groupBy(columns, ({ database, table }) => tableId(database, table))].map(([id, list]) => ({
    id,
    name: list[0]?.table ?? id,
    fields: list.map(({ name, type, field, nullable, keyPosition }) => ({
      name,
      type: field,
      remoteType: type,
      nullable,
      primaryKey: keyPosition !== null,
    })),
  }));
}

/** The first rows that come. */
export async function sampleRows(
  connection: Connection,
  columns: readonly Column[],
  from: string,
  limit: number,
): Promise<CopyRow[]> {
  const { list, rendered } = selected(columns);
  const rows = new SelectedRows(
    connection,
    `select ${list} from ${from} limit ${Math.trunc(limit)}`,
    rendered,
    [],
    sampledAtMost,
  );
  return sampledRows(rows);
}
