import { compile, duckdb, ofTable } from '../../conditions/index.ts';
import type { TargetDefinition } from '../contract.ts';
import { betweenUpdates } from './loose-types.ts';
import { type Columns, modelColumns, type WrittenColumn } from './model-columns.ts';
import type { Target } from './model-destination.ts';
import { type Matching, matching } from './model-matching.ts';
import { batch } from './model-stage.ts';

/** The SQL of one sync's batches. Every identifier is quoted; every value is cast to its column's type. */
export interface Statements {
  /** Where the identity may fit more than one value. */
  matching: Matching | undefined;
  /** The n of records that the target has. Undefined where it does not matter. */
  known: string | undefined;
  /** Write the records that are known, or remove them. */
  changes: string[];
  /** All that are not known. Undefined in the modes update and remove. */
  insert: string | undefined;
}

/** @throws invalid_field when the definition does not fit the target. */
export function modelStatements(target: Target, definition: TargetDefinition): Statements {
  const { mode } = definition;
  const columns = modelColumns(target, definition);
  const { key, written } = columns;
  const fitting = matching(target.table, definition, key);
  const equals = key === undefined ? 'false' : `t.${key.name} = ${key.value}`;
  const filter = definition.filter && compile(definition.filter, target.fields, ofTable(duckdb, 't'));
  const matches = `${fitting === undefined ? equals : 't.rowid = b.r'}${filter === undefined ? '' : ` and ${filter}`}`;
  // A record that becomes a row is a list of one where the identity is a member.
  const insertedValue = (one: WrittenColumn) =>
    fitting !== undefined && one === key && one.column.typeName.endsWith(']')
      ? `cast([b.key] as ${one.column.typeName})`
      : one.value;
  const existing = `exists (select 1 from ${target.table} t where ${matches})`;
  const looks = key !== undefined && mode !== 'append';
  const changes = () => {
    if (mode === 'remove') {
      return [`delete from ${target.table} t where exists (select 1 from ${batch} b where ${matches})`];
    }
    return mode === 'update' || mode === 'updateOrCreate' ? updateStatements(target, columns, matches) : [];
  };
  return {
    matching: fitting,
    known: looks ? `select b.n from ${batch} b where ${existing}` : undefined,
    changes: changes(),
    insert:
      mode === 'update' || mode === 'remove'
        ? undefined
        : `insert into ${target.table} (${written.map(({ name }) => name).join(', ')})
           select ${written.map(insertedValue).join(', ')} from ${batch} b
           ${looks ? `where not ${existing}` : ''} order by b.n`,
  };
}

/** With nothing but the identity mapped there is nothing to update. */
function updateStatements({ table }: Target, { key, mapped }: Columns, matches: string): string[] {
  const assignments = mapped
    .filter(({ name }) => name !== key?.name)
    .map(({ name, column: { typeName }, value, createOnly }) => {
      const from = `t.${name}`;
      return {
        column: name,
        typeName,
        createOnly,
        from,
        to: createOnly ? `coalesce(${from}, ${value})` : value,
      };
    });
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
