import type { TestDatabase } from '../support/database.ts';
import type { Dice } from './dice.ts';
import { typesFor, valueSql } from './values.ts';

export interface SourceColumn {
  name: string;
  type: string;
}

/** A table of the source, and how it may be changed. Its key is `id`, and `at` moves with every change that is told. */
export interface SourceTable {
  columns: SourceColumn[];
  /** Ids that were taken away without telling: a read by tracking field does not find that out. */
  gone: Set<string>;
  nextId: number;
  /** Seconds that `at` has come to. */
  clock: number;
  keyed: boolean;
  /** The types that columns may have. */
  types: readonly string[];
}

const names = [
  'firstName',
  'first_name',
  'First-Name',
  'price',
  'Größe',
  'note',
  'select',
  'a"b',
  'x y',
  'X_Y',
];

export function draftTable(dice: Dice, everything: boolean): SourceTable {
  const types = typesFor(everything);
  const columns: SourceColumn[] = [];
  for (const name of names) if (dice.chance(0.4)) columns.push({ name, type: dice.pick(types) });
  return { columns, gone: new Set(), nextId: 1, clock: 0, keyed: dice.chance(0.85), types };
}

export function createSql({ columns, keyed }: SourceTable): string {
  const list = columns.map(({ name, type }) => `, ${quoted(name)} ${type}`).join('');
  return `create table t (id int${keyed ? ' primary key' : ''}, at timestamptz${list})`;
}

type Change = (table: SourceTable, dice: Dice) => string;

const stamp = (table: SourceTable) =>
  `timestamptz '2024-01-01 00:00:00.5+00' + ${++table.clock} * interval '1 s'`;

function insert(table: SourceTable, dice: Dice, count: number): string {
  const rows = Array.from({ length: count }, () => {
    const values = table.columns.map(({ type }) => valueSql(type, dice));
    return `(${[table.nextId++, stamp(table), ...values].join(', ')})`;
  });
  const list = ['id', 'at', ...table.columns.map(({ name }) => quoted(name))].join(', ');
  return `insert into t (${list}) values ${rows.join(', ')}`;
}

/** Ids of the rows that are touched. */
const some = (dice: Dice) => `id % ${2 + dice.below(7)} = ${dice.below(2)}`;

const changes: Record<string, Change> = {
  insert: (table, dice) => insert(table, dice, 1 + dice.below(dice.chance(0.1) ? 300 : 20)),
  update: (table, dice) => {
    const set = table.columns.map(({ name, type }) => `${quoted(name)} = ${valueSql(type, dice)}`);
    return `update t set ${[`at = ${stamp(table)}`, ...set].join(', ')} where ${some(dice)}`;
  },
  delete: (_table, dice) => `delete from t where ${some(dice)}`,
  'move keys': (table, dice) => `update t set id = -id, at = ${stamp(table)} where ${some(dice)} and id > 0`,
  'without a time': (table, dice) =>
    `${insert(table, dice, 1)}; update t set at = null where id = ${table.nextId - 1}`,
  'load again': (table, dice) => {
    table.clock = Math.floor(table.clock / 2);
    return `truncate t; ${insert(table, dice, 1 + dice.below(30))}`;
  },
  'empty and older': (table, dice) => {
    table.clock = Math.floor(table.clock / 2);
    return `delete from t; ${insert(table, dice, 1 + dice.below(30))}`;
  },
  'make anew': (table, dice) =>
    `drop table t; ${createSql(table)}; ${insert(table, dice, 1 + dice.below(30))}`,
  'swap by name': (table) => {
    const columns = table.columns.map(({ name }) => quoted(name));
    const key = table.keyed ? '; alter table t add primary key (id)' : '';
    return `create table fresh as select ${['id', 'at', ...columns].join(', ')} from t; drop table t; alter table fresh rename to t${key}`;
  },
  'add column': (table, dice) => {
    const name = names.find((one) => !table.columns.some((column) => column.name === one));
    if (name === undefined) return 'select';
    const type = dice.pick(table.types);
    table.columns.push({ name, type });
    const filled = dice.chance(0.5)
      ? `; update t set ${quoted(name)} = ${valueSql(type, dice)} where ${some(dice)}`
      : '';
    return `alter table t add ${quoted(name)} ${type} default ${valueSql(type, dice)}${filled}`;
  },
  'drop column': (table, dice) => {
    if (table.columns.length === 0) return 'select';
    const [column] = table.columns.splice(dice.below(table.columns.length), 1);
    return `alter table t drop ${quoted(column?.name ?? '')}`;
  },
  'drop and add column': (table, dice) => {
    if (table.columns.length === 0) return 'select';
    const { name, type } = dice.pick(table.columns);
    return `alter table t drop ${quoted(name)}, add ${quoted(name)} ${type}; update t set ${quoted(name)} = ${valueSql(type, dice)}`;
  },
  'rename column': (table, dice) => {
    const name = names.find((one) => !table.columns.some((column) => column.name === one));
    if (name === undefined || table.columns.length === 0) return 'select';
    const column = dice.pick(table.columns);
    const before = column.name;
    column.name = name;
    return `alter table t rename ${quoted(before)} to ${quoted(name)}`;
  },
  retype: (table, dice) => {
    const column = table.columns.find(({ type }) => type in wider);
    if (column === undefined) return 'select';
    const to = dice.pick(wider[column.type] ?? ['text']);
    column.type = to;
    const name = quoted(column.name);
    const using = dice.chance(0.5) && to !== 'text' ? `(${name} / 100.0)::${to}` : `${name}::${to}`;
    return `alter table t alter ${name} drop default, alter ${name} type ${to} using ${using}`;
  },
  'values by a retype': (table) => {
    const column = table.columns.find(({ type }) => type === 'integer');
    return column === undefined
      ? 'select'
      : `alter table t alter ${quoted(column.name)} type integer using ${quoted(column.name)} / 2`;
  },
  analyze: () => 'analyze t',
};

const wider: Record<string, string[]> = {
  integer: ['bigint', 'numeric(20,4)', 'text'],
  'varchar(40)': ['text', 'varchar(80)'],
  date: ['timestamp(6)'],
};

/** @returns what was done, for who looks at a failure. */
export async function changeTable(database: TestDatabase, table: SourceTable, dice: Dice): Promise<string> {
  const name = dice.chance(0.5) ? dice.pick(['insert', 'update']) : dice.pick(Object.keys(changes));
  const before = await ids(database);
  const sql = changes[name]?.(table, dice) ?? '';
  await database.query(`begin; ${sql}; commit`);
  const after = await ids(database);
  for (const id of before) if (!after.has(id)) table.gone.add(id);
  for (const id of after) table.gone.delete(id);
  return name;
}

async function ids(database: TestDatabase): Promise<Set<string>> {
  const rows = await database.query<{ id: string }>('select id::text from t');
  return new Set(rows.map(({ id }) => id));
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
