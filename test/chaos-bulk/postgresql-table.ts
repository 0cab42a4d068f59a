import type { Dice } from './dice.ts';
import { meaningOf, typeNames, valueSql } from './postgresql-values.ts';
import { quoted } from './source.ts';
import {
  type Change,
  draftColumns,
  draftForm,
  draftTable,
  membersSql,
  type SourceTable,
  sharedChanges,
  withoutView,
} from './source-table.ts';

export interface PostgresqlTable extends SourceTable {
  /** That were attached. */
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

export function draftPostgresqlTable(dice: Dice): PostgresqlTable {
  const columns = draftColumns(dice, names, 0.4, typeNames);
  const form = draftForm(dice);
  const clockTypes = ['timestamptz', 'timestamptz', 'timestamp(3)', 'bigint', 'numeric(20,4)'];
  return { ...draftTable(dice, { form, columns, clockTypes }), partitions: 0 };
}

export function createSql(source: PostgresqlTable): string {
  const table = `create table ${source.base} (id int, part text default 'a', ${membersSql(source, quoted)})`;
  if (source.form !== 'partitioned') return table;
  return `${table} partition by range (id); create table t_low partition of t for values from (minvalue) to (7);
    create table t_mid partition of t for values from (7) to (60); create table t_rest partition of t default`;
}

const shared = sharedChanges<PostgresqlTable>({
  names,
  typesOf: () => typeNames,
  quoted,
  valueSql,
  createSql,
  clockSql: ({ clock, clockType }) =>
    /^timestamp/.test(clockType)
      ? `'2024-01-01 00:00:00.5+00'::${clockType} + ${clock * 997} * interval '1 s'`
      : `${clock}`,
  addition: (type, dice) => ` default ${valueSql(type, dice)}`,
  nothing: 'select',
});

/** What a tracking field tells of, or else the table itself. */
export const changes: Record<string, Change<PostgresqlTable>> = {
  ...shared.ofRows,
  'make anew': (table, dice) => {
    table.partitions = 0;
    return shared.makeAnew(table, dice, true);
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
  'add column': shared.addColumn,
  'drop column': shared.dropColumn,
  'drop and add column': shared.dropAndAddColumn(() => ','),
  'rename column': shared.renameColumn,
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
  'another condition': shared.anotherCondition,
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
export const quietChanges = shared.quiet(({ base }, set) => set(`at = (select min(at) from ${base})`));

const wider: Record<string, string[]> = {
  smallint: ['integer', 'bigint'],
  integer: ['bigint', 'numeric(20,4)', 'text'],
  'varchar(40)': ['text', 'varchar(80)'],
  date: ['timestamp(6)'],
  'numeric(20,4)': ['numeric', 'text'],
  uuid: ['text'],
};
