import type { Connection } from 'mysql2/promise';
import { notFound } from '../../errors.ts';
import type { TargetField, TargetObject } from '../contract.ts';
import { tableId } from '../table-id.ts';
import { notOffered, offered } from '../target-modes.ts';
import { rowsOf } from './client.ts';
import { type Column, columnsOf, findTable, systemDatabases, type TableColumn } from './columns.ts';
import { isLockTimeout, isPassing, isServerError } from './errors.ts';
import { functionsOf } from './model-matching.ts';
import { literal, qualified } from './quote.ts';

/** A table that batches can be written to, each wholly or not at all: InnoDB. */
export interface Target {
  database: string;
  table: string;
  columns: TableColumn[];
  fields: TargetField[];
  /** The AUTO_INCREMENT column. */
  countsUp: string | undefined;
}

interface TableRow {
  schema: string;
  name: string;
  type: string;
  engine: string | null;
  partitioned: number;
  selects: number;
  inserts: number;
  updates: number;
}

/** @param database of the connection; undefined: all of them. */
export async function listTargets(
  connection: Connection,
  database: string | undefined,
): Promise<TargetObject[]> {
  const where = database
    ? `t.table_schema = ${literal(database)}`
    : `t.table_schema not in ${systemDatabases}`;
  const any = (right: string) => `max(find_in_set('${right}', c.privileges)) > 0`;
  const rows = await rowsOf<TableRow>(
    connection,
    `select t.table_schema as \`schema\`, t.table_name as name, t.table_type as type, t.engine as engine,
       max(t.create_options like '%partitioned%') as partitioned,
       ${any('select')} as selects, ${any('insert')} as inserts, ${any('update')} as updates
     from information_schema.tables t
     join information_schema.columns c on c.table_schema = t.table_schema and c.table_name = t.table_name
     where ${where} and t.table_name not like '\\_tidemark\\_%' group by 1, 2, 3, 4 order by 1, 2`,
  );
  // Somebody may have a table locked for hours.
  await connection.query('set session lock_wait_timeout = 1');
  const staging = new Map<string, boolean>();
  const targets: TargetObject[] = [];
  for (const row of rows) {
    const stages = staging.get(row.schema) ?? (await mayStage(connection, row.schema));
    staging.set(row.schema, stages);
    targets.push(await targetOf(connection, row, stages));
  }
  return targets;
}

async function targetOf(connection: Connection, row: TableRow, stages: boolean): Promise<TargetObject> {
  const { schema, name, type, engine } = row;
  const id = tableId(schema, name);
  if (type.endsWith('VIEW')) {
    const reason = 'it is a view, and MySQL does not say whether all below it is InnoDB: name its table';
    return notOffered(id, reason);
  }
  if (type !== 'BASE TABLE') {
    return notOffered(id, `it is a ${type.toLowerCase()} object, and only plain tables are written to`);
  }
  if (engine !== 'InnoDB') {
    return notOffered(id, `its engine is ${engine}, and only InnoDB writes a batch wholly or not at all`);
  }
  if (!stages) {
    return notOffered(id, `the connection's user has no CREATE TEMPORARY TABLES on database ${schema}`);
  }
  const selects = Number(row.selects) === 1;
  const rights = {
    selects,
    inserts: Number(row.inserts) === 1,
    updates: Number(row.updates) === 1,
    deletes:
      selects && (await succeeds(connection, `explain delete from ${qualified(schema, name)} where 1 = 0`)),
  };
  return offered(id, rights, {
    // Records are collected in a temporary table like the target, which may not have partitions.
    ...(Number(row.partitioned) === 1 ? { replace: 'it has partitions' } : {}),
    // A batch is staged in columns that are selected from the target.
    ...(selects ? {} : { append: "the connection's user has no SELECT on it" }),
  });
}

/** Whether batches can be staged: it is a right of a database. */
function mayStage(connection: Connection, database: string): Promise<boolean> {
  const table = qualified(database, '_tidemark_rights');
  return succeeds(connection, `create temporary table ${table} (n int primary key)`);
}

/** Deleting is a right that columns do not have, and lists of grants do not show what a role gives. */
async function succeeds(connection: Connection, statement: string): Promise<boolean> {
  try {
    await connection.query(statement);
    return true;
  } catch (error) {
    if (!isServerError(error)) throw error;
    // Rights are looked at before a lock is waited for.
    if (isLockTimeout(error)) return true;
    if (isPassing(error)) throw error;
    return false;
  }
}

interface ExtraRow {
  name: string;
  extra: string;
  hasDefault: number;
  /** `select,insert,update,references`: those that the account has, by whatever grant. */
  privileges: string;
}

/** @throws not_found */
export async function describeTarget(connection: Connection, object: string): Promise<Target> {
  const { database, name: table } = await findTable(connection, object);
  const [found] = await rowsOf<{ engine: string | null }>(
    connection,
    `select engine from information_schema.tables where table_schema = ? and table_name = ? and table_type = 'BASE TABLE'`,
    [database, table],
  );
  if (found?.engine !== 'InnoDB') throw notFound('target object', object);
  const columns = await columnsOf(connection, { database, name: table });
  const extras = await rowsOf<ExtraRow>(
    connection,
    `select column_name as name, extra, column_default is not null or extra like '%auto_increment%' as hasDefault,
       privileges
     from information_schema.columns where table_schema = ? and table_name = ?`,
    [database, table],
  );
  const hasKey = columns.some(({ keyPosition }) => keyPosition !== null);
  const byName = new Map(extras.map((row) => [row.name, row]));
  return {
    database,
    table,
    columns,
    fields: columns.map((column) => toField(column, byName.get(column.name), hasKey)),
    countsUp: extras.find(({ extra }) => /auto_increment/i.test(extra))?.name,
  };
}

function toField(
  { name, field, type, nullable }: Column,
  row: ExtraRow | undefined,
  hasKey: boolean,
): TargetField {
  const isGenerated = /(virtual|stored|persistent) generated/i.test(row?.extra ?? '');
  const may = (right: string) => row?.privileges.split(',').includes(right) ?? false;
  return {
    ...{ id: name, name, type: field, remoteType: type, nullable },
    required: !nullable && Number(row?.hasDefault) !== 1 && !isGenerated,
    createable: !isGenerated && may('insert'),
    updateable: !isGenerated && may('update'),
    filterable: true,
    identityFunctions: !may('select') ? [] : hasKey ? functionsOf(type) : ['Equality'],
  };
}
