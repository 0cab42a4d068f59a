import type { Dice } from './dice.ts';
import type { SourceColumn, Told } from './source.ts';

type Form = 'table' | 'partitioned' | 'view';

/** A relation named `t`, and how it may be changed. `id` is unique, and `at` moves with every change that is told. */
export interface SourceTable extends Told {
  form: Form;
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
}

/** What each system says in its own way. */
export interface Dialect<Table extends SourceTable> {
  /** Of columns beside `id`, `part` and `at`. */
  names: readonly string[];
  typesOf(form: Form): readonly string[];
  quoted(name: string): string;
  valueSql(type: string, dice: Dice): string;
  createSql(table: Table): string;
  /** The value of `at` that `clock` stands for. */
  clockSql(table: Table): string;
  /** What follows the name and type of a column that is added. */
  addition(type: string, dice: Dice): string;
  /** A statement that does nothing. */
  nothing: string;
}

export type Change<Table extends SourceTable> = (table: Table, dice: Dice) => string;

export const draftForm = (dice: Dice): Form =>
  dice.pick(['table', 'table', 'table', 'partitioned', 'view'] as const);

export function draftColumns(
  dice: Dice,
  names: readonly string[],
  chance: number,
  types: readonly string[],
): SourceColumn[] {
  return names.flatMap((name) => (dice.chance(chance) ? [{ name, type: dice.pick(types) }] : []));
}

export function draftTable(
  dice: Dice,
  { form, columns, clockTypes }: { form: Form; columns: SourceColumn[]; clockTypes: readonly string[] },
): SourceTable {
  return {
    form,
    base: form === 'view' ? 'base' : 't',
    condition: 'true',
    columns,
    key:
      form === 'view'
        ? []
        : dice.pick([['id'], ['id'], ['id'], ['id'], ['id'], ['part', 'id'], ['part', 'id'], []]),
    clockType: dice.pick(clockTypes),
    untold: new Set(),
    clock: 0,
    top: 0,
    late: false,
    nextId: 1,
  };
}

/** What stands in `create table` after `id` and `part`. */
export function membersSql({ columns, key, clockType }: SourceTable, quoted: (name: string) => string) {
  const list = columns.map(({ name, type }) => `, ${quoted(name)} ${type}`).join('');
  const primary = key.length === 0 ? '' : `, primary key (${key.join(', ')})`;
  return `at ${clockType}${list}${primary}`;
}

/** Around what a view does not survive, or what changes its fields. */
export function withoutView({ form, condition }: SourceTable, sql: string): string {
  return form === 'view'
    ? `drop view if exists t; ${sql}; create view t as select * from base where ${condition}`
    : sql;
}

/** @param isSeen whether the table itself tells that everything has to be read again. */
function startOver(table: SourceTable, isSeen: boolean): void {
  table.clock = Math.floor(table.clock / 2);
  if (isSeen) table.top = table.clock;
}

/** Ids of the rows that are touched. */
const some = (dice: Dice) => `id % ${2 + dice.below(7)} = ${dice.below(2)}`;

/** The changes that all systems have. Each lists them among its own, in an order that the seeds go by. */
export function sharedChanges<Table extends SourceTable>(dialect: Dialect<Table>) {
  const { quoted, valueSql, nothing } = dialect;

  /** The next value of `at`: further on than rows are read again for being stamped late. */
  function stamp(table: Table): string {
    table.clock++;
    table.late ||= table.clock <= table.top;
    table.top = Math.max(table.top, table.clock);
    return dialect.clockSql(table);
  }

  function insert(table: Table, dice: Dice, count: number): string {
    const at = stamp(table);
    const rows = Array.from({ length: count }, () => {
      const values = table.columns.map(({ type }) => valueSql(type, dice));
      return `(${[table.nextId++, dice.pick([`'a'`, `'Zoë'`, `'zoe'`]), at, ...values].join(', ')})`;
    });
    const list = ['id', 'part', 'at', ...table.columns.map(({ name }) => quoted(name))].join(', ');
    return `insert into ${table.base} (${list}) values ${rows.join(', ')}`;
  }

  /** An update of some rows, whose first assignment is given. */
  function update({ base, columns }: Table, first: string, dice: Dice): string {
    const sets = columns.map(({ name, type }) => `${quoted(name)} = ${valueSql(type, dice)}`);
    return `update ${base} set ${[first, ...sets].join(', ')} where ${some(dice)}`;
  }

  const freeName = ({ columns }: Table) =>
    dialect.names.find((one) => !columns.some(({ name }) => name === one));

  /** What a tracking field tells of. */
  const ofRows: Record<string, Change<Table>> = {
    insert: (table, dice) => insert(table, dice, 1 + dice.below(dice.chance(0.1) ? 300 : 20)),
    update: (table, dice) => update(table, `at = ${stamp(table)}`, dice),
    delete: ({ base }, dice) => `delete from ${base} where ${some(dice)}`,
    'move keys': (table, dice) =>
      `update ${table.base} set id = -id, at = ${stamp(table)} where ${some(dice)} and id > 0`,
    'without a time': (table, dice) =>
      `${insert(table, dice, 1)}; update ${table.base} set at = null where id = ${table.nextId - 1}`,
    'load again': (table, dice) => {
      startOver(table, table.form !== 'view');
      return `truncate ${table.base}; ${insert(table, dice, 1 + dice.below(30))}`;
    },
  };

  /** What it does not tell of. @param oldestSql sets `at` to the oldest there is. */
  const quiet = (oldestSql: (table: Table, set: (first: string) => string) => string) => {
    const all: Record<string, Change<Table>> = {
      'update untold': (table, dice) => update(table, 'part = part', dice),
      'update to an older time': (table, dice) => oldestSql(table, (first) => update(table, first, dice)),
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
    return all;
  };

  return {
    ofRows,
    quiet,
    makeAnew(table: Table, dice: Dice, isSeen: boolean): string {
      startOver(table, isSeen);
      return withoutView(
        table,
        `drop table ${table.base}; ${dialect.createSql(table)}; ${insert(table, dice, 1 + dice.below(30))}`,
      );
    },
    addColumn(table: Table, dice: Dice): string {
      const name = freeName(table);
      if (name === undefined) return nothing;
      const type = dice.pick(dialect.typesOf(table.form));
      table.columns.push({ name, type });
      const filled = dice.chance(0.5)
        ? `; update ${table.base} set ${quoted(name)} = ${valueSql(type, dice)} where ${some(dice)}`
        : '';
      const added = `${quoted(name)} ${type}${dialect.addition(type, dice)}`;
      return withoutView(table, `alter table ${table.base} add ${added}${filled}`);
    },
    dropColumn(table: Table, dice: Dice): string {
      if (table.columns.length === 0) return nothing;
      const [column] = table.columns.splice(dice.below(table.columns.length), 1);
      return withoutView(table, `alter table ${table.base} drop ${quoted(column?.name ?? '')}`);
    },
    /** @param between how the one `alter table` goes on to the next, which some systems want apart. */
    dropAndAddColumn: (between: (base: string) => string): Change<Table> => {
      return (table, dice) => {
        if (table.columns.length === 0) return nothing;
        const { name, type } = dice.pick(table.columns);
        const [column, { base }] = [quoted(name), table];
        return withoutView(
          table,
          `alter table ${base} drop ${column}${between(base)} add ${column} ${type}; update ${base} set ${column} = ${valueSql(type, dice)}`,
        );
      };
    },
    renameColumn(table: Table, dice: Dice): string {
      const name = freeName(table);
      if (name === undefined || table.columns.length === 0) return nothing;
      const column = dice.pick(table.columns);
      const before = column.name;
      column.name = name;
      return withoutView(
        table,
        `alter table ${table.base} rename column ${quoted(before)} to ${quoted(name)}`,
      );
    },
    anotherCondition(table: Table, dice: Dice): string {
      if (table.form !== 'view') return nothing;
      table.condition = dice.pick(['true', 'id % 5 <> 3', `part <> 'zoe'`]);
      return `create or replace view t as select * from base where ${table.condition}`;
    },
  };
}
