import type { Dice } from './dice.ts';
import { typeNames, valueSql } from './mysql-values.ts';
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

/** Of MariaDB. */
export interface MysqlTable extends SourceTable {
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

export function draftMysqlTable(dice: Dice): MysqlTable {
  const form = draftForm(dice);
  const columns = draftColumns(dice, names, 0.45, typesOf(form));
  const clockTypes = ['datetime(6)', 'timestamp null', 'bigint unsigned', 'decimal(20,4)'];
  return {
    ...draftTable(dice, { form, columns, clockTypes }),
    engine: dice.pick(['InnoDB', 'InnoDB', 'InnoDB', 'Aria']),
  };
}

export function createSql(table: MysqlTable): string {
  const { form, base, engine } = table;
  const parts =
    form === 'partitioned'
      ? ' partition by range (id) (partition low values less than (7), partition mid values less than (60), partition rest values less than maxvalue)'
      : '';
  return `create table ${base} (id int not null, part varchar(20) character set utf8mb4 default 'a', ${membersSql(table, quoted)}) engine = ${engine}${parts}`;
}

export const isMoment = ({ clockType }: MysqlTable) => /^(datetime|timestamp)/.test(clockType);

const shared = sharedChanges<MysqlTable>({
  names,
  typesOf,
  quoted,
  valueSql,
  createSql,
  clockSql: (table) =>
    isMoment(table) ? `'2024-01-01 00:00:00' + interval ${table.clock * 8501} second` : `${table.clock}`,
  addition: (_, dice) => (dice.chance(0.3) ? ' first' : ''),
  nothing: 'do 0',
});

/** Those that give the table under its name another time at which it was made, or are to. */
export const recreating = new Set([
  'load again',
  'make anew',
  'swap by name',
  'drop and add column',
  'truncate a partition',
]);

export const changes: Record<string, Change<MysqlTable>> = {
  ...shared.ofRows,
  'make anew': (table, dice) => shared.makeAnew(table, dice, table.form !== 'view'),
  'swap by name': ({ base }) =>
    `create table fresh like ${base}; insert into fresh select * from ${base}; rename table ${base} to old, fresh to ${base}; drop table old`,
  'add column': shared.addColumn,
  'drop column': shared.dropColumn,
  'rename column': shared.renameColumn,
  'drop and add column': shared.dropAndAddColumn((base) => `; alter table ${base}`),
  retype: (table, dice) => {
    const column = table.columns.find(({ type }) => type in wider);
    if (column === undefined) return 'do 0';
    column.type = dice.pick(wider[column.type] ?? []);
    return withoutView(table, `alter table ${table.base} modify ${quoted(column.name)} ${column.type}`);
  },
  'another condition': shared.anotherCondition,
  'truncate a partition': ({ form }, dice) =>
    form === 'partitioned' ? `alter table t truncate partition ${dice.pick(['low', 'mid', 'rest'])}` : 'do 0',
  analyze: ({ base }) => `analyze table ${base}`,
};

export const quietChanges = shared.quiet(
  ({ base }, set) => `set @oldest = (select min(at) from ${base}); ${set('at = @oldest')}`,
);

const wider: Record<string, string[]> = {
  'tinyint(1)': ['int', 'bigint'],
  int: ['bigint', 'decimal(30,10)', 'longtext character set utf8mb4'],
  date: ['datetime', 'datetime(6)'],
  datetime: ['datetime(6)'],
  float: ['double'],
  'varchar(40) character set latin1': ['text character set utf8mb4 collate utf8mb4_german2_ci'],
  'bit(1)': ['bit(13)'],
};
