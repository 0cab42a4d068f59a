import type { ReplacedRow, TargetDefinition } from '../contract.ts';
import { type Columns, columnsOf } from './model-columns.ts';
import { createStaging, staging } from './model-stage.ts';
import type { Target } from './model-target.ts';
import { identifier, literal } from './quote.ts';

/** The SQL of one replacement. */
export interface ReplacementStatements {
  prepare: string[];
  /** From the staging table to what has been collected. */
  collect: string;
  /** Takes identities as an array of texts. Undefined without an identity. */
  keep: string | undefined;
  /** The end of collecting, in the transaction that replaces. */
  begin: string[];
  /** Each returns the identity and the mapped columns of the rows it changes. */
  changes: [ReplacedRow['status'], string][];
  /** Rows that are there because they were collected. */
  count: string;
  /** What finds the records that it is refused for. Undefined without an identity. */
  search: Search | undefined;
}

export interface Search {
  /** Numbers the collected rows. */
  number: string;
  /** Leaves those that are chosen. */
  choose(chosen: string): string;
  /** Rows that are not in the target though they should be. */
  missing: string;
  /** A row where the target refers to itself. */
  itself: string;
  /** Texts of the identities with these numbers. */
  keys: string;
  /** Which of these identities, as texts, are in the batch. */
  known: string;
}

const collected = 'pg_temp.tidemark_replacement';
const kept = 'pg_temp.tidemark_kept';
const numbered = 'pg_temp.tidemark_numbered';

/** @throws invalid_field when the definition does not fit the target. */
export function replacementStatements(target: Target, definition: TargetDefinition): ReplacementStatements {
  const columns = columnsOf(target, definition);
  const { key, mapped, written } = columns;
  const { table } = target;
  const names = written.map(({ name }) => name);
  const uniqueKey = definition.identity !== undefined && target.uniqueFields.has(definition.identity);
  const changes =
    key === undefined ? bySameContent(table, columns) : byIdentity(table, columns, key.name, uniqueKey);
  return {
    prepare: [
      createStaging(
        key?.baseType,
        mapped.map(({ baseType }) => baseType),
      ),
      ...createCollected(target, definition),
      ...(key === undefined
        ? []
        : [`create temporary table tidemark_kept (k ${key.baseType}) on commit preserve rows`]),
      ...(key === undefined || uniqueKey ? [] : [`create unique index on ${collected} (${key.name})`]),
    ],
    collect: `insert into ${collected} (${names.join(', ')})
      select ${written.map(({ staged }) => `b.${staged}`).join(', ')} from ${staging} b order by b.n`,
    keep: key && `insert into ${kept} select k::${key.baseType} from unnest($1::text[]) k`,
    begin: [
      `analyze ${collected}`,
      `lock table ${table} in share row exclusive mode`,
      // An identity may have two texts, one of them a record's that is fine.
      ...(key === undefined
        ? []
        : [`delete from ${kept} k where exists (select from ${collected} s where s.${key.name} = k.k)`]),
    ],
    changes,
    search: key && {
      number: `create temporary table tidemark_numbered on commit drop as
        select row_number() over (order by ${key.name})::int as n, ${key.name} as k from ${collected}`,
      choose: (chosen) =>
        `delete from ${collected} s using ${numbered} x where x.k = s.${key.name} and not (${chosen})`,
      missing: `select from ${collected} s where not exists (select from ${table} t where t.${key.name} = s.${key.name}) limit 1`,
      itself: `select from pg_constraint where contype = 'f' and conrelid = confrelid and conrelid = ${literal(table)}::regclass`,
      keys: `select n, k::text as key from ${numbered} where n = any ($1::int[])`,
      known: `select k::text as key from ${staging} where k::text = any ($1::text[]) limit 1`,
    },
    count: `select count(*) as rows from ${table} t ${key === undefined ? '' : `where ${isNotKept(key.name)}`}`,
  };
}

/**
 * A table with the written columns alone, and those of the target's constraints and unique indexes that are over
 * them: dropping a column drops what involves it.
 */
function createCollected(target: Target, definition: TargetDefinition): string[] {
  const written = new Set([definition.identity, ...definition.fields.map((field) => field.target)]);
  const others = target.fields.filter(({ id }) => !written.has(id));
  const drops = others.map(({ id }) => `drop column ${identifier(id)} cascade`);
  return [
    `create temporary table tidemark_replacement (like ${target.table} including constraints including indexes)
       on commit preserve rows`,
    ...(drops.length === 0 ? [] : [`alter table ${collected} ${drops.join(', ')}`]),
    `do $$ declare one regclass; begin
       for one in select indexrelid from pg_catalog.pg_index
         where indrelid operator(pg_catalog.=) pg_catalog.to_regclass('${collected}')::pg_catalog.oid
         and not indisunique and not indisexclusion loop execute pg_catalog.format('drop index %s', one); end loop; end $$`,
  ];
}

function isNotKept(key: string): string {
  return `not exists (select from ${kept} k where k.k = t.${key})`;
}

/** What a change returns. */
function returning({ key, mapped }: Columns): string {
  const identity = key === undefined ? 'null' : `t.${key.name}`;
  return `returning ${[identity, ...mapped.map(({ name }) => `t.${name}`)].join(', ')}`;
}

function byIdentity(
  table: string,
  columns: Columns,
  key: string,
  unique: boolean,
): ReplacementStatements['changes'] {
  const { mapped, written } = columns;
  const names = written.map(({ name }) => name);
  const others = mapped.filter(({ name }) => name !== key).map(({ name }) => name);
  const row = (alias: string) => `row(${others.map((name) => `${alias}.${name}`).join(', ')})::record`;
  const changes: ReplacementStatements['changes'] = [
    [
      'deleted',
      `delete from ${table} t where not exists (select from ${collected} s where s.${key} = t.${key})
         and ${isNotKept(key)} ${returning(columns)}`,
    ],
  ];
  if (!unique) {
    // Of rows that share an identity one stays.
    changes.push([
      'deleted',
      `delete from ${table} t using (select tableoid as relation, ctid as place,
           row_number() over (partition by ${key} order by tableoid, ctid) as occurrence from ${table}) d
         where d.occurrence > 1 and t.tableoid = d.relation and t.ctid = d.place and ${isNotKept(key)} ${returning(columns)}`,
    ]);
  }
  if (others.length > 0) {
    // Compared byte by byte: 1.0 and 1.00 are equal, and yet not the same.
    changes.push([
      'updated',
      `update ${table} t set ${others.map((name) => `${name} = s.${name}`).join(', ')} from ${collected} s
         where s.${key} = t.${key} and ${row('t')} *<> ${row('s')} ${returning(columns)}`,
    ]);
  }
  changes.push([
    'inserted',
    `insert into ${table} as t (${names.join(', ')}) select ${names.join(', ')} from ${collected} s
       where not exists (select from ${table} t where t.${key} = s.${key}) ${returning(columns)}`,
  ]);
  return changes;
}

/** Without an identity a row is its content, and the second of two equal ones another than the first. */
function bySameContent(table: string, columns: Columns): ReplacementStatements['changes'] {
  const names = columns.written.map(({ name }) => name).join(', ');
  const numbered = (relation: string) => `(
    select *, row_number() over (partition by content) as occurrence from (
      select *, ${relation === table ? 'tableoid as relation, ctid as place,' : ''} row(${names})::text as content
      from ${relation}) c)`;
  const missingIn = (relation: string, one: string) =>
    `not exists (select from ${numbered(relation)} o where o.content = ${one}.content and o.occurrence = ${one}.occurrence)`;
  return [
    [
      'deleted',
      `delete from ${table} t using ${numbered(table)} d
         where ${missingIn(collected, 'd')} and t.tableoid = d.relation and t.ctid = d.place ${returning(columns)}`,
    ],
    [
      'inserted',
      `insert into ${table} as t (${names}) select ${names} from ${numbered(collected)} s
         where ${missingIn(table, 's')} ${returning(columns)}`,
    ],
  ];
}
