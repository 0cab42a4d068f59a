import { TidemarkError } from '../../errors.ts';
import type { TargetDefinition } from '../contract.ts';
import { identifier, type ReadColumn, storage } from '../duckdb-engine/index.ts';
import { type Assignment, betweenUpdates } from './loose-types.ts';
import type { Target } from './model-destination.ts';

/** The SQL of one sync's batches. Every identifier is quoted; every value is cast to its column's type. */
export interface Statements {
  /** Takes the batch as JSON: n (position in the batch), key and the list of values. */
  stage: string;
  /** The n of records that the target has. Undefined where it does not matter. */
  known: string | undefined;
  /** Write the records that are known, or remove them. */
  changes: string[];
  /** All that are not known. Undefined in the modes update and remove. */
  insert: string | undefined;
}

const batch = 'temp.main.tm_batch';
const shape = '[{"n":"INTEGER","key":"VARCHAR","v":["VARCHAR"]}]';

/** @throws invalid_field when the definition does not fit the target. */
export function modelStatements(target: Target, definition: TargetDefinition): Statements {
  const { mode, identity } = definition;
  if (mode === 'replace') throw wrong('mode', 'replace is not offered by DuckDB files');
  const columns = definition.fields.map((field, index) => {
    const column = columnOf(target, field.target);
    const value = castValue(column, `b.v[${index + 1}]`);
    return { name: column.name, typeName: column.typeName, createOnly: field.createOnly, value };
  });
  const key = identity === undefined ? undefined : columnOf(target, identity);
  if (key === undefined && (mode === 'update' || mode === 'updateOrCreate' || mode === 'remove')) {
    throw wrong('identity', `is needed in mode ${mode}`);
  }
  const keyValue = key === undefined ? '' : castValue(key, 'b.key');
  // The key is written as well, unless a mapping writes that column anyway.
  const writesKey = key !== undefined && !columns.some(({ name }) => name === key.name);
  const inserted = [...(writesKey ? [{ name: key.name, value: keyValue }] : []), ...columns];
  const matches = key === undefined ? 'false' : `t.${identifier(key.name)} = ${keyValue}`;
  const assignments = columns
    .filter(({ name }) => name !== key?.name)
    .map(({ name, typeName, value, createOnly }) => {
      const column = identifier(name);
      const from = `t.${column}`;
      return { column, typeName, createOnly, from, to: createOnly ? `coalesce(${from}, ${value})` : value };
    });
  const existing = `exists (select 1 from ${target.table} t where ${matches})`;
  const changes = {
    update: () => updateStatements(target, assignments, matches),
    updateOrCreate: () => updateStatements(target, assignments, matches),
    remove: () => [`delete from ${target.table} t where exists (select 1 from ${batch} b where ${matches})`],
    create: () => [],
    append: () => [],
  };
  return {
    stage: `create or replace temp table tm_batch as
      select r.n as n, r.key as key, r.v as v from (select unnest(from_json($1, '${shape}')) as r)`,
    known:
      mode === 'append' || key === undefined ? undefined : `select b.n from ${batch} b where ${existing}`,
    changes: changes[mode](),
    insert:
      mode === 'update' || mode === 'remove'
        ? undefined
        : `insert into ${target.table} (${inserted.map(({ name }) => identifier(name)).join(', ')})
           select ${inserted.map(({ value }) => value).join(', ')} from ${batch} b
           ${mode === 'append' || key === undefined ? '' : `where not ${existing}`} order by b.n`,
  };
}

/** With nothing but the identity mapped there is nothing to update. */
function updateStatements(
  { table }: Target,
  assignments: readonly (Assignment & { createOnly: boolean })[],
  matches: string,
): string[] {
  if (assignments.length === 0) return [];
  const between = betweenUpdates(assignments.filter(({ createOnly }) => !createOnly));
  const set = assignments.map(({ column, to }) => `${column} = ${to}`).join(', ');
  return [
    ...(between === undefined
      ? []
      : [`update ${table} as t set ${between.set} from ${batch} b where ${matches} and ${between.where}`]),
    `update ${table} as t set ${set} from ${batch} b where ${matches}`,
  ];
}

/** DuckDB would round 1.5 to a whole number, where it is asked for one. */
function castValue({ carrier, typeName }: ReadColumn, text: string): string {
  const whole = /INT(EGER)?$/.test(typeName);
  const checked = whole
    ? `if(regexp_matches(${text}, '[^0-9+ -]'), 'not whole: ' || ${text}, ${text})`
    : text;
  const value = storage(carrier).value(checked);
  return `cast(${value} as ${typeName})`;
}

function columnOf(target: Target, id: string): ReadColumn {
  const column = target.columns.find(({ name }) => name === id);
  if (column === undefined) throw wrong(`fields.${id}`, `${target.table} has no such column`);
  return column;
}

function wrong(field: string, reason: string): TidemarkError {
  return new TidemarkError('invalid_field', { field, reason });
}
