import type { Connection } from 'mysql2/promise';
import { TidemarkError } from '../../errors.ts';
import type { BulkTable, TableFacts } from '../contract.ts';
import { rowsOf } from './client.ts';
import { columnsOf, findTable, type Table, type TableColumn } from './columns.ts';

/** @param columns names to read; undefined reads all. @throws not_found when the table is gone. */
export async function describeTable(
  connection: Connection,
  schemaId: string,
  columns: readonly string[] | undefined,
): Promise<BulkTable> {
  const table = await findTable(connection, schemaId);
  const all = await columnsOf(connection, table);
  const chosen = all.filter(({ name }) => columns === undefined || columns.includes(name));
  const key = all
    .filter(({ keyPosition }) => keyPosition !== null)
    .sort((a, b) => Number(a.keyPosition) - Number(b.keyPosition));
  return {
    schemaId,
    origin: await originOf(connection, table),
    facts: await factsOf(connection, table),
    columns: chosen.map(({ name, carrier, nullable, rendering, version }) => ({
      name,
      version,
      outputName: name,
      type: carrier,
      // A date that is not in the calendar becomes NULL.
      nullable: nullable || /^(date|datetime|timestamp)$/.test(rendering),
    })),
    // A key that lost a column does not identify rows any more.
    primaryKey: key.every((column) => chosen.includes(column)) ? key.map(({ name }) => name) : [],
    estimatedRows: table.rows === null ? undefined : Number(table.rows),
    formats: ['copy-text'],
  };
}

/**
 * Names a table among those of all servers. MySQL has an id of its own; MariaDB does not, and servers in containers
 * have the same names, ports and folders: the second in which the table was made tells them apart.
 */
export async function originOf(connection: Connection, { database, name, created }: Table): Promise<string> {
  const [server] = await rowsOf<{ id: string }>(
    connection,
    `select concat_ws(' ', @@hostname, @@port, @@server_id, @@datadir /*!80000 , @@server_uuid */) as id`,
  );
  return JSON.stringify(['mysql', server?.id, database, name, created]);
}

/**
 * Nothing that a server says of itself stays when another one takes its place, or for long in a container: the second in
 * which the table was made has to tell. To the server, most of ALTER TABLE recreates it, and to MySQL TRUNCATE does, too; what
 * MariaDB has truncated is told by its newest rows: see bulk-tracking.ts. A view was never made.
 */
async function factsOf(connection: Connection, { database, name, created }: Table): Promise<TableFacts> {
  const [view] = await rowsOf<{ definition: string }>(
    connection,
    'select md5(view_definition) as definition from information_schema.views where table_schema = ? and table_name = ?',
    [database, name],
  );
  return {
    server: database,
    ...(created === null || view !== undefined ? {} : { table: created }),
    ...(view === undefined ? {} : { definition: view.definition }),
  };
}

/** The columns to read among all of the table's, as they are now. @throws unprocessable when one is not what it was when the table was described. */
export async function readableColumns(
  connection: Connection,
  table: BulkTable,
): Promise<{ table: Table; columns: (TableColumn & { obfuscated: boolean })[]; all: TableColumn[] }> {
  const found = await findTable(connection, table.schemaId);
  const all = await columnsOf(connection, found);
  const columns = table.columns.map(({ name, type, obfuscated = false }) => {
    const column = all.find((one) => one.name === name);
    if (column === undefined || (!obfuscated && column.carrier !== type)) {
      throw new TidemarkError('unprocessable', {
        reason: `column ${name} of ${table.schemaId} was altered while the table was read: run it again`,
      });
    }
    return { ...column, obfuscated };
  });
  return { table: found, columns, all };
}
