import type { ReplacedRow } from '../contract.ts';
import { collectedTables } from './model-collected.ts';
import type { Columns, WrittenColumn } from './model-columns.ts';
import { digestExpression, exactText } from './model-hash.ts';
import { literalFor } from './model-literal.ts';
import type { Target } from './model-target.ts';
import { identifier, literal, qualified } from './quote.ts';
import { type Selected, selected } from './selected.ts';

/** Something that happens to rows of the target. */
export interface Change {
  status: ReplacedRow['status'];
  /** What stands behind FROM for what it happens to. */
  rows: string;
  sql: string;
}

/** Rows that the target has too often. */
export interface Surplus {
  /** A SELECT of what they have in common and of how many are too many. */
  select: string;
  rendered: Selected['rendered'];
  remove(value: string, rows: number): Change;
}

/** A statement may name a temporary table once, and no more. */
export interface ReplacementStatements {
  /** Outside the transaction: a server may not want tables to be made in one. */
  prepare: string[];
  /** Makes other writers wait: every row of the target is locked, and what lies between them. */
  lock: string;
  begin: string[];
  remove: Change;
  surplus: Surplus | undefined;
  /** In this order, after what is gone. */
  changes: Change[];
  /** Rows that are there because they were collected. */
  count: string;
  /** What finds the records that it is refused for. Absent without an identity. */
  search?: Search;
}

export interface Search {
  /** Numbers the collected rows. Outside the transaction, too. */
  number: string;
  counted: string;
  /** Leaves those that are chosen. */
  choose(chosen: string): string;
  /** Rows that are not in the target though they should be. */
  missing: string;
  /** A row where the target refers to itself. */
  itself: string;
  /** Texts of the identities with these numbers. */
  keys(numbers: readonly number[]): string;
  /** Which of these identities, as texts, are among those that are collected of these values. */
  known(values: readonly string[], keys: readonly string[]): string;
}

export function replacementStatements(
  target: Target,
  columns: Columns,
  uniqueKey: boolean,
): ReplacementStatements {
  const table = qualified(target.database, target.table);
  const lock = `select count(*) from ${table} for update`;
  const { key } = columns;
  if (key === undefined) return { lock, ...bySameContent(target, table, columns) };
  return { lock, ...byIdentity(target, table, columns, key, uniqueKey) };
}

type Statements = Omit<ReplacementStatements, 'lock'>;

function byIdentity(
  target: Target,
  table: string,
  { mapped, written }: Columns,
  key: WrittenColumn,
  unique: boolean,
): Statements {
  const { collected, kept } = collectedTables(target);
  const { name } = key;
  const others = mapped.filter((one) => one.name !== name);
  const pair = `${table} t join ${collected} s on s.${name} = t.${name}`;
  const aside = `left join ${kept} x on x.k = t.${name}`;
  const gone = `${table} t left join ${collected} s on s.${name} = t.${name} ${aside} where s.${name} is null and x.k is null`;
  // Compared byte by byte: to a collation, texts may be equal and yet not the same.
  const same = others.map(({ column }) => `${exactText(column, 't')} <=> ${exactText(column, 's')}`);
  const differs = `not (${same.join(' and ')})`;
  const update: Change = {
    status: 'updated',
    rows: `(select s.* from ${pair} where ${differs}) r`,
    sql: `update ${pair} set ${others.map((one) => `t.${one.name} = s.${one.name}`).join(', ')} where ${differs}`,
  };
  const isNew = `${collected} s left join ${table} t on t.${name} = s.${name} where t.${name} is null`;
  const { list, rendered } = selected([{ ...key.column, charset: null }]);
  const numbered = qualified(target.database, '_tidemark_numbered');
  const textOf = (relation: string, column: string) =>
    `hex(${exactText({ ...key.column, name: column }, relation)})`;
  return {
    search: {
      number: `create temporary table ${numbered} (n int not null auto_increment primary key) engine = InnoDB
        select s.${name} as k from ${collected} s order by s.${name}`,
      counted: `select count(*) as counted from ${numbered}`,
      choose: (chosen) =>
        `delete s from ${collected} s join ${numbered} x on x.k = s.${name} where not (${chosen})`,
      missing: `select 1 from ${collected} s left join ${table} t on t.${name} = s.${name} where t.${name} is null limit 1`,
      itself: `select 1 from information_schema.referential_constraints
        where constraint_schema = ${literal(target.database)} and table_name = ${literal(target.table)}
          and referenced_table_name = ${literal(target.table)} limit 1`,
      keys: (numbers) =>
        `select x.n, ${textOf('x', 'k')} as \`key\` from ${numbered} x where x.n in (${numbers.join(', ')})`,
      known: (values, keys) => `select ${textOf('s', key.column.name)} as \`key\` from ${collected} s
        where s.${name} in (${values.join(', ')}) and ${textOf('s', key.column.name)} in (${keys.map(literal).join(', ')}) limit 1`,
    },
    prepare: [],
    // An identity may have two texts, one of them a record's that is fine.
    begin: [`delete x from ${kept} x join ${collected} s on s.${name} = x.k`],
    remove: removal(gone),
    surplus: unique
      ? undefined
      : {
          select: `select ${list}, surplus from (select t.${name}, count(*) - 1 as surplus from ${table} t ${aside}
            where x.k is null group by t.${name} having count(*) > 1) r`,
          rendered: [...rendered, { name: 'surplus', rendering: 'number' }],
          remove: (value, rows) =>
            removalOfSome(target, table, `${name} = ${literalFor(key.column, key.source, value)}`, rows),
        },
    changes: [...(others.length === 0 ? [] : [update]), insertion(table, written, isNew)],
    count: `select count(*) as counted from ${table} t ${aside} where x.k is null`,
  };
}

/** Without an identity a row is its content, and the second of two equal ones another than the first. */
function bySameContent(target: Target, table: string, { written }: Columns): Statements {
  const { collected } = collectedTables(target);
  const [digest, rows, occurrence] = ['_tidemark_digest', '_tidemark_rows', '_tidemark_occurrence'];
  const content = digestExpression(written.map(({ column }) => column));
  const have = qualified(target.database, '_tidemark_have');
  const want = qualified(target.database, '_tidemark_want');
  const counting = `(${digest} char(64) character set utf8mb4 collate utf8mb4_bin primary key, ${rows} bigint not null)`;
  const gone = `${table} t left join ${want} w on w.${digest} = ${content} where w.${digest} is null`;
  const numbered = `(select c.*, ${content} as ${digest},
    row_number() over (partition by ${content}) as ${occurrence} from ${collected} c) s`;
  const isNew = `${numbered} left join ${have} h on h.${digest} = s.${digest}
    where s.${occurrence} > coalesce(h.${rows}, 0)`;
  return {
    prepare: [`create temporary table ${have} ${counting}`, `create temporary table ${want} ${counting}`],
    begin: [
      `insert into ${have} select ${content}, count(*) from ${table} group by 1`,
      `insert into ${want} select ${content}, count(*) from ${collected} group by 1`,
    ],
    remove: removal(gone),
    surplus: {
      select: `select h.${digest}, h.${rows} - w.${rows} from ${have} h join ${want} w on w.${digest} = h.${digest}
        where h.${rows} > w.${rows}`,
      rendered: [
        { name: digest, rendering: 'verbatim' },
        { name: rows, rendering: 'number' },
      ],
      remove: (value, surplus) => removalOfSome(target, table, `${content} = ${literal(value)}`, surplus),
    },
    changes: [insertion(table, written, isNew)],
    count: `select count(*) as counted from ${table}`,
  };
}

/** @param gone what stands behind FROM, with the target as t. */
function removal(gone: string): Change {
  return { status: 'deleted', rows: `(select t.* from ${gone}) r`, sql: `delete t from ${gone}` };
}

/** The first of these rows, which are the same ones in both statements. */
function removalOfSome({ columns }: Target, table: string, where: string, rows: number): Change {
  const first = `where ${where} order by ${columns.map(({ name }) => identifier(name)).join(', ')} limit ${rows}`;
  return {
    status: 'deleted',
    rows: `(select * from ${table} ${first}) r`,
    sql: `delete from ${table} ${first}`,
  };
}

/** @param isNew what stands behind FROM, with what was collected as s. */
function insertion(table: string, written: readonly WrittenColumn[], isNew: string): Change {
  const names = written.map(({ name }) => name);
  return {
    status: 'inserted',
    rows: `(select s.* from ${isNew}) r`,
    sql: `insert into ${table} (${names.join(', ')}) select ${names.map((name) => `s.${name}`).join(', ')} from ${isNew}`,
  };
}
