import type { Dice } from './dice.ts';
import { typeNames, valueSql } from './mysql-values.ts';
import type { SourceColumn, Told } from './source.ts';

/** A table or view `t` of MariaDB: see postgresql-table.ts, to which this is the other half. */
export interface MysqlTable extends Told {
  form: 'table' | 'partitioned' | 'view';
  base: 't' | 'base';
  condition: string;
  columns: SourceColumn[];
  key: string[];
  clockType: string;
  clock: number;
  top: number;
  late: boolean;
  nextId: number;
  engine: string;
}

const names = [
  'firstName',
  'first_name',
  'First-Name',
  'price',
  'Größe',
  'note',
  'select',
  'a`b',
  'x y',
  `q'"`,
];

export const quoted = (name: string) => `\`${name.replaceAll('`', '``')}\``;

/** MariaDB has no geometry in partitions. */
const typesOf = (form: MysqlTable['form']) =>
  form === 'partitioned' ? typeNames.filter((type) => type !== 'point') : typeNames;

export function draftTable(dice: Dice): MysqlTable {
  const columns: SourceColumn[] = [];
  const form = dice.pick(['table', 'table', 'table', 'partitioned', 'view'] as const);
  for (const name of names) if (dice.chance(0.45)) columns.push({ name, type: dice.pick(typesOf(form)) });
  return {
    form,
    base: form === 'view' ? 'base' : 't',
    condition: 'true',
    columns,
    key:
      form === 'view'
        ? []
        : dice.pick([['id'], ['id'], ['id'], ['id'], ['id'], ['part', 'id'], ['part', 'id'], []]),
    clockType: dice.pick(['datetime(6)', 'timestamp null', 'bigint unsigned', 'decimal(20,4)']),
    untold: new Set(),
    clock: 0,
    top: 0,
    late: false,
    nextId: 1,
    engine: dice.pick(['InnoDB', 'InnoDB', 'InnoDB', 'Aria']),
  };
}

export function createSql({ form, base, columns, key, clockType, engine }: MysqlTable): string {
  const list = columns.map(({ name, type }) => `, ${quoted(name)} ${type}`).join('');
  const primary = key.length === 0 ? '' : `, primary key (${key.join(', ')})`;
  const parts =
    form === 'partitioned'
      ? ' partition by range (id) (partition low values less than (7), partition mid values less than (60), partition rest values less than maxvalue)'
      : '';
  return `create table ${base} (id int not null, part varchar(20) character set utf8mb4 default 'a', at ${clockType}${list}${primary}) engine = ${engine}${parts}`;
}

/** Around what changes the fields of a view. */
export function withoutView({ form, condition }: MysqlTable, sql: string): string {
  return form === 'view'
    ? `drop view if exists t; ${sql}; create view t as select * from base where ${condition}`
    : sql;
}

export function stamp(table: MysqlTable): string {
  table.clock++;
  table.late ||= table.clock <= table.top;
  table.top = Math.max(table.top, table.clock);
  return /^(datetime|timestamp)/.test(table.clockType)
    ? `'2024-01-01 00:00:00' + interval ${table.clock * 8501} second`
    : `${table.clock}`;
}

function startOver(table: MysqlTable, isSeen: boolean): void {
  table.clock = Math.floor(table.clock / 2);
  if (isSeen) table.top = table.clock;
}

type Change = (table: MysqlTable, dice: Dice) => string;

function insert(table: MysqlTable, dice: Dice, count: number): string {
  const at = stamp(table);
  const rows = Array.from({ length: count }, () => {
    const values = table.columns.map(({ type }) => valueSql(type, dice));
    return `(${[table.nextId++, dice.pick([`'a'`, `'Zoë'`, `'zoe'`]), at, ...values].join(', ')})`;
  });
  const list = ['id', 'part', 'at', ...table.columns.map(({ name }) => quoted(name))].join(', ');
  return `insert into ${table.base} (${list}) values ${rows.join(', ')}`;
}

const some = (dice: Dice) => `id % ${2 + dice.below(7)} = ${dice.below(2)}`;

const sets = (table: MysqlTable, dice: Dice) =>
  table.columns.map(({ name, type }) => `${quoted(name)} = ${valueSql(type, dice)}`);

const freeName = (table: MysqlTable) =>
  names.find((one) => !table.columns.some((column) => column.name === one));

/** Those that give the table under its name another time at which it was made, or are to. */
export const recreating = new Set([
  'load again',
  'make anew',
  'swap by name',
  'drop and add column',
  'truncate a partition',
]);

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
    startOver(table, table.form !== 'view');
    return withoutView(
      table,
      `drop table ${table.base}; ${createSql(table)}; ${insert(table, dice, 1 + dice.below(30))}`,
    );
  },
  'swap by name': ({ base }) =>
    `create table fresh like ${base}; insert into fresh select * from ${base}; rename table ${base} to old, fresh to ${base}; drop table old`,
  'add column': (table, dice) => {
    const name = freeName(table);
    if (name === undefined) return 'do 0';
    const type = dice.pick(typesOf(table.form));
    table.columns.push({ name, type });
    const filled = dice.chance(0.5)
      ? `; update ${table.base} set ${quoted(name)} = ${valueSql(type, dice)} where ${some(dice)}`
      : '';
    const place = dice.chance(0.3) ? ' first' : '';
    return withoutView(table, `alter table ${table.base} add ${quoted(name)} ${type}${place}${filled}`);
  },
  'drop column': (table, dice) => {
    if (table.columns.length === 0) return 'do 0';
    const [column] = table.columns.splice(dice.below(table.columns.length), 1);
    return withoutView(table, `alter table ${table.base} drop ${quoted(column?.name ?? '')}`);
  },
  'rename column': (table, dice) => {
    const name = freeName(table);
    if (name === undefined || table.columns.length === 0) return 'do 0';
    const column = dice.pick(table.columns);
    const before = column.name;
    column.name = name;
    return withoutView(table, `alter table ${table.base} rename column ${quoted(before)} to ${quoted(name)}`);
  },
  'drop and add column': (table, dice) => {
    if (table.columns.length === 0) return 'do 0';
    const { name, type } = dice.pick(table.columns);
    const column = quoted(name);
    return withoutView(
      table,
      `alter table ${table.base} drop ${column}; alter table ${table.base} add ${column} ${type}; update ${table.base} set ${column} = ${valueSql(type, dice)}`,
    );
  },
  retype: (table, dice) => {
    const column = table.columns.find(({ type }) => type in wider);
    if (column === undefined) return 'do 0';
    column.type = dice.pick(wider[column.type] ?? []);
    return withoutView(table, `alter table ${table.base} modify ${quoted(column.name)} ${column.type}`);
  },
  'another condition': (table, dice) => {
    if (table.form !== 'view') return 'do 0';
    table.condition = dice.pick(['true', 'id % 5 <> 3', `part <> 'zoe'`]);
    return `create or replace view t as select * from base where ${table.condition}`;
  },
  'truncate a partition': ({ form }, dice) =>
    form === 'partitioned' ? `alter table t truncate partition ${dice.pick(['low', 'mid', 'rest'])}` : 'do 0',
  analyze: ({ base }) => `analyze table ${base}`,
};

export const quietChanges: Record<string, Change> = {
  'update untold': (table, dice) =>
    `update ${table.base} set ${[`part = part`, ...sets(table, dice)].join(', ')} where ${some(dice)}`,
  'update to an older time': (table, dice) => {
    const { base } = table;
    return `set @oldest = (select min(at) from ${base}); update ${base} set ${[`at = @oldest`, ...sets(table, dice)].join(', ')} where ${some(dice)}`;
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
  'tinyint(1)': ['int', 'bigint'],
  int: ['bigint', 'decimal(30,10)', 'longtext character set utf8mb4'],
  date: ['datetime', 'datetime(6)'],
  datetime: ['datetime(6)'],
  float: ['double'],
  'varchar(40) character set latin1': ['text character set utf8mb4 collate utf8mb4_german2_ci'],
  'bit(1)': ['bit(13)'],
};
