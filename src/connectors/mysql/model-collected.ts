import type { Connection } from 'mysql2/promise';
import { rowsOf } from './client.ts';
import type { Column } from './columns.ts';
import type { Columns } from './model-columns.ts';
import type { Target } from './model-target.ts';
import { ownKey } from './own-key.ts';
import { identifier, qualified } from './quote.ts';

/** Temporary tables of a replacement: the records, and the identities of those that were refused. */
export function collectedTables({ database }: Target): { collected: string; kept: string } {
  return { collected: qualified(database, '_tidemark_new'), kept: qualified(database, '_tidemark_kept') };
}

/**
 * Makes them. That of the records has the written columns alone, and those of the target's checks and unique indexes
 * that are over them, so that a record which cannot be stored is found when it is added.
 *
 * @returns whether an index keeps two records from having one identity.
 */
export async function createCollected(
  connection: Connection,
  target: Target,
  { key, written }: Columns,
): Promise<boolean> {
  const table = qualified(target.database, target.table);
  const { collected, kept } = collectedTables(target);
  await connection.query(`create temporary table ${collected} like ${table}`);
  const isWritten = (name: string) => written.some(({ column }) => column.name === name);
  const others = target.columns.filter(({ name }) => !isWritten(name)).map(({ name }) => name);
  const indexes = await indexesOf(connection, target);
  const isKept = ({ isUnique, columns }: Index) => isUnique && columns.every(isWritten);
  const isUnique = indexes.some((index) => isKept(index) && index.isOf(key?.column.name));
  const changes = [
    ...indexes.filter((index) => !isKept(index)).map(({ name }) => `drop index ${identifier(name)}`),
    ...(await checksOf(connection, collected, others)).map((name) => `drop constraint ${identifier(name)}`),
    ...others.map((name) => `drop column ${identifier(name)}`),
    ...(key === undefined || isUnique ? [] : [`add key ${indexOn(key.column, key.name)}`]),
    // A column that counts up has to be in an index.
    ...written
      .filter(({ column }) => target.countsUp === column.name && !indexes.some(isKept))
      .map(({ name }) => `add key (${name})`),
    // A table has one column that counts up.
    ...(indexes.some((index) => isKept(index) && index.name === 'PRIMARY') ||
    written.some(({ column }) => target.countsUp === column.name)
      ? []
      : [`add column ${ownKey}`]),
  ];
  if (changes.length > 0) await connection.query(`alter table ${collected} ${changes.join(', ')}`);
  if (key !== undefined) {
    await connection.query(
      `create temporary table ${kept} (${ownKey}, key ${indexOn(key.column, 'k')}) engine = InnoDB
         select t.${key.name} as k from ${table} t limit 0`,
    );
  }
  return isUnique;
}

function indexOn({ type }: Column, name: string): string {
  return /text|blob|json|geom|point|polygon|linestring/.test(type) ? `(${name}(100))` : `(${name})`;
}

interface Index {
  name: string;
  isUnique: boolean;
  columns: string[];
  /** Over that whole column and no other. */
  isOf(column: string | undefined): boolean;
}

async function indexesOf(connection: Connection, { database, table }: Target): Promise<Index[]> {
  const rows = await rowsOf<{ name: string; others: number; column: string | null; part: number | null }>(
    connection,
    `select index_name as name, non_unique as others, column_name as \`column\`, sub_part as part
     from information_schema.statistics where table_schema = ? and table_name = ? order by seq_in_index`,
    [database, table],
  );
  return [...Map.groupBy(rows, ({ name }) => name)].map(([name, parts]) => ({
    name,
    isUnique: parts.every(({ others }) => Number(others) === 0),
    // One over an expression has no column, and is not known to be over written ones.
    columns: parts.map(({ column }) => column ?? ''),
    isOf: (column) => parts.length === 1 && parts[0]?.column === column && parts[0]?.part === null,
  }));
}

/** Names of the table's checks that speak of one of these columns. */
async function checksOf(
  connection: Connection,
  table: string,
  columns: readonly string[],
): Promise<string[]> {
  const [row] = await rowsOf<{ 'Create Table': string }>(connection, `show create table ${table}`);
  const found = (row?.['Create Table'] ?? '').matchAll(/^\s*CONSTRAINT `((?:[^`]|``)+)` CHECK (.*)$/gm);
  return [...found].flatMap(([, name = '', check = '']) =>
    columns.some((column) => check.includes(identifier(column))) ? [name.replaceAll('``', '`')] : [],
  );
}
