import type { Dice } from './dice.ts';
import { meaningOf, typeNames, valueSql } from './postgresql-values.ts';
import { quoted, type SourceColumn, type Told } from './source.ts';

/** A relation named `t`, and how it may be changed. `id` is unique, and `at` moves with every change that is told. */
export interface PostgresqlTable extends Told {
  form: 'table' | 'partitioned' | 'view';
  /** What rows are written into. */
  base: 't' | 'base';
  /** Of a view. */
  condition: string;
  columns: SourceColumn[];
  /** Fields of the primary key; empty: none. */
  key: string[];
  /** The type of `at`. */
  clockType: string;
  /** What `at` has come to, and the most that it ever was since all rows had to be read. */
  clock: number;
  top: number;
  /** Whether something was stamped with less than that since it was set to false. */
  late: boolean;
  nextId: number;
  partitions: number;
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

export function draftTable(dice: Dice): PostgresqlTable {
  const columns: SourceColumn[] = [];
  for (const name of names) if (dice.chance(0.4)) columns.push({ name, type: dice.pick(typeNames) });
  const form = dice.pick(['table', 'table', 'table', 'partitioned', 'view'] as const);
  const key =
    form === 'view'
      ? []
      : dice.pick([['id'], ['id'], ['id'], ['id'], ['id'], ['part', 'id'], ['part', 'id'], []]);
  return {
    form,
    base: form === 'view' ? 'base' : 't',
    condition: 'true',
    columns,
    key,
    clockType: dice.pick(['timestamptz', 'timestamptz', 'timestamp(3)', 'bigint', 'numeric(20,4)']),
    untold: new Set(),
    nextId: 1,
    clock: 0,
    top: 0,
    late: false,
    partitions: 0,
  };
}

export function createSql({ form, base, columns, key, clockType }: PostgresqlTable): string {
  const list = columns.map(({ name, type }) => `, ${quoted(name)} ${type}`).join('');
  const primary = key.length === 0 ? '' : `, primary key (${key.join(', ')})`;
  const table = `create table ${base} (id int, part text default 'a', at ${clockType}${list}${primary})`;
  if (form !== 'partitioned') return table;
  return `${table} partition by range (id); create table t_low partition of t for values from (minvalue) to (7);
    create table t_mid partition of t for values from (7) to (60); create table t_rest partition of t default`;
}

/** Around what a view does not survive. */
export function withoutView({ form, condition }: PostgresqlTable, sql: string): string {
  return form === 'view'
    ? `drop view if exists t; ${sql}; create view t as select * from base where ${condition}`
    : sql;
}

/** The next value of `at`: further on than rows are read again for being stamped late. */
export function stamp(table: PostgresqlTable): string {
  table.clock++;
  table.late ||= table.clock <= table.top;
  table.top = Math.max(table.top, table.clock);
  return /^timestamp/.test(table.clockType)
    ? `'2024-01-01 00:00:00.5+00'::${table.clockType} + ${table.clock * 997} * interval '1 s'`
    : `${table.clock}`;
}

/** @param isSeen whether the table itself tells that everything has to be read again. */
function startOver(table: PostgresqlTable, isSeen: boolean): void {
  table.clock = Math.floor(table.clock / 2);
  if (isSeen) table.top = table.clock;
}

type Change = (table: PostgresqlTable, dice: Dice) => string;

function insert(table: PostgresqlTable, dice: Dice, count: number): string {
  const at = stamp(table);
  const rows = Array.from({ length: count }, () => {
    const values = table.columns.map(({ type }) => valueSql(type, dice));
    return `(${[table.nextId++, dice.pick([`'a'`, `'Zoë'`, `'zoe'`]), at, ...values].join(', ')})`;
  });
  const list = ['id', 'part', 'at', ...table.columns.map(({ name }) => quoted(name))].join(', ');
  return `insert into ${table.base} (${list}) values ${rows.join(', ')}`;
}

/** Ids of the rows that are touched. */
const some = (dice: Dice) => `id % ${2 + dice.below(7)} = ${dice.below(2)}`;

const sets = (table: PostgresqlTable, dice: Dice) =>
  table.columns.map(({ name, type }) => `${quoted(name)} = ${valueSql(type, dice)}`);

const freeName = (table: PostgresqlTable) =>
  names.find((one) => !table.columns.some((column) => column.name === one));

/** What a tracking field tells of, or else the table itself. */
export const changes: Record<string, Change> = {
  insert: (table, dice) => insert(table, dice, 1 + dice.below(dice.chance(0.1) ? 300 : 20)),
  update: (table, dice) =>
    `update ${table.base} set ${[`at = ${stamp(table)}`, ...sets(table, dice)].join(', ')} where ${some(dice)}`,
  delete: ({ base }, dice) => `delete from ${base} where ${some(dice)}`,
  'move keys': (table, dice) =>
    `update ${table.base} set id = -id, at = ${stamp(table)} where ${some(dice)} and id > 0`,
  'without a time': (table, dice) =>
    `${insert(table, dice, 1)}; update ${table.base} set at = null where id = ${table.nextId - 1}`,
  'load again': (table, dice) => {
    startOver(table, table.form !== 'view');
    return `truncate ${table.base}; ${insert(table, dice, 1 + dice.below(30))}`;
  },
  'make anew': (table, dice) => {
    startOver(table, true);
    table.partitions = 0;
    return withoutView(
      table,
      `drop table ${table.base}; ${createSql(table)}; ${insert(table, dice, 1 + dice.below(30))}`,
    );
  },
  'swap by name': (table) => {
    if (table.form === 'partitioned') return 'select';
    const { base, columns, key } = table;
    const list = ['id', 'part', 'at', ...columns.map(({ name }) => quoted(name))].join(', ');
    const primary = key.length === 0 ? '' : `; alter table ${base} add primary key (${key.join(', ')})`;
    return withoutView(
      table,
      `create table fresh as select ${list} from ${base}; drop table ${base}; alter table fresh rename to ${base}${primary}`,
    );
  },
  'add column': (table, dice) => {
    const name = freeName(table);
    if (name === undefined) return 'select';
    const type = dice.pick(typeNames);
    table.columns.push({ name, type });
    const filled = dice.chance(0.5)
      ? `; update ${table.base} set ${quoted(name)} = ${valueSql(type, dice)} where ${some(dice)}`
      : '';
    return withoutView(
      table,
      `alter table ${table.base} add ${quoted(name)} ${type} default ${valueSql(type, dice)}${filled}`,
    );
  },
  'drop column': (table, dice) => {
    if (table.columns.length === 0) return 'select';
    const [column] = table.columns.splice(dice.below(table.columns.length), 1);
    return withoutView(table, `alter table ${table.base} drop ${quoted(column?.name ?? '')}`);
  },
  'drop and add column': (table, dice) => {
    if (table.columns.length === 0) return 'select';
    const { name, type } = dice.pick(table.columns);
    const column = quoted(name);
    return withoutView(
      table,
      `alter table ${table.base} drop ${column}, add ${column} ${type}; update ${table.base} set ${column} = ${valueSql(type, dice)}`,
    );
  },
  'rename column': (table, dice) => {
    const name = freeName(table);
    if (name === undefined || table.columns.length === 0) return 'select';
    const column = dice.pick(table.columns);
    const before = column.name;
    column.name = name;
    return withoutView(table, `alter table ${table.base} rename ${quoted(before)} to ${quoted(name)}`);
  },
  'swap columns': (table) => {
    const [one, other] = table.columns;
    if (one === undefined || other === undefined) return 'select';
    [one.name, other.name] = [other.name, one.name];
    const rename = (from: string, to: string) =>
      `alter table ${table.base} rename ${quoted(from)} to ${quoted(to)}`;
    const [a, b] = [one.name, other.name];
    return withoutView(table, [rename(b, 'between'), rename(a, b), rename('between', a)].join('; '));
  },
  retype: (table, dice) => {
    const column = table.columns.find(({ type }) => type in wider);
    if (column === undefined) return 'select';
    const to = dice.pick(wider[column.type] ?? ['text']);
    const divided = meaningOf(column.type) === 'number' && meaningOf(to) === 'number' && dice.chance(0.5);
    column.type = to;
    const name = quoted(column.name);
    const using = divided ? `(${name} / 100.0)::${to}` : `${name}::${to}`;
    return withoutView(
      table,
      `alter table ${table.base} alter ${name} drop default, alter ${name} type ${to} using ${using}`,
    );
  },
  'values by a retype': (table) => {
    const column = table.columns.find(({ type }) => type === 'integer');
    if (column === undefined) return 'select';
    const name = quoted(column.name);
    return withoutView(table, `alter table ${table.base} alter ${name} type integer using ${name} / 2`);
  },
  'another condition': (table, dice) => {
    if (table.form !== 'view') return 'select';
    table.condition = dice.pick(['true', 'id % 5 <> 3', `part <> 'zoe'`]);
    return `create or replace view t as select * from base where ${table.condition}`;
  },
  'attach a partition': (table, dice) => {
    if (table.form !== 'partitioned') return 'select';
    const from = 10_000_000 + 1000 * table.partitions++;
    const name = `t_${from}`;
    return `create table ${name} (like t including all); insert into ${name} (id, part, at)
      select i, 'a', (select ${dice.pick(['min', 'max'])}(at) from t) from generate_series(${from}, ${from + dice.below(30)}) i;
      alter table t attach partition ${name} for values from (${from}) to (${from + 1000})`;
  },
  'truncate a partition': ({ form }, dice) =>
    form === 'partitioned' ? `truncate ${dice.pick(['t_low', 't_mid', 't_rest'])}` : 'select',
  'detach a partition': (table) => {
    if (table.form !== 'partitioned' || table.partitions === 0) return 'select';
    const name = `t_${10_000_000 + 1000 * --table.partitions}`;
    return `alter table t detach partition ${name}; drop table ${name}`;
  },
  'rewrite as a whole': ({ form, key }) =>
    form === 'table' && key.length > 0 ? 'cluster t using t_pkey' : 'select',
  analyze: ({ base }) => `analyze ${base}`,
};

/** What a tracking field does not tell of. */
export const quietChanges: Record<string, Change> = {
  'update untold': (table, dice) =>
    `update ${table.base} set ${[`part = part`, ...sets(table, dice)].join(', ')} where ${some(dice)}`,
  'update to an older time': (table, dice) => {
    const { base } = table;
    return `update ${base} set ${[`at = (select min(at) from ${base})`, ...sets(table, dice)].join(', ')} where ${some(dice)}`;
  },
  'late insert': (table, dice) => {
    const { clock } = table;
    table.clock = Math.floor(clock / 2);
    const sql = insert(table, dice, 1 + dice.below(5));
    table.clock = clock;
    return sql;
  },
  'empty and older': (table, dice) => {
    startOver(table, false);
    return `delete from ${table.base}; ${insert(table, dice, 1 + dice.below(30))}`;
  },
};

const wider: Record<string, string[]> = {
  smallint: ['integer', 'bigint'],
  integer: ['bigint', 'numeric(20,4)', 'text'],
  'varchar(40)': ['text', 'varchar(80)'],
  date: ['timestamp(6)'],
  'numeric(20,4)': ['numeric', 'text'],
  uuid: ['text'],
};
