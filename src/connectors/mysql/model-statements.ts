import { compile, mysql, ofTable } from '../../conditions/index.ts';
import type { OutgoingRecord, TargetDefinition } from '../contract.ts';
import { bySize, literals, modelColumns } from './model-columns.ts';
import { type Matching, matching } from './model-matching.ts';
import type { Target } from './model-target.ts';
import { qualified } from './quote.ts';

/** The SQL of one sync's batches. */
export interface Statements {
  /** Once per session: a temporary table with n (position in the batch), the key and one column per value. */
  stage: string[];
  clear: string;
  /** What its columns are called in the target. */
  names: ReadonlyMap<string, string>;
  /** Several, where the records are long. */
  fill(records: readonly OutgoingRecord[]): string[];
  /** Where the identity may fit more than one value. */
  matching: Matching | undefined;
  /** The n of records that the target has. Undefined: nobody asks. */
  known: string | undefined;
  /** Updates or deletes them. */
  change: string | undefined;
  /** Undefined in the modes update and remove. */
  insert: ((others: readonly number[]) => string) | undefined;
}

/**
 * Columns of a staged value have the target's own types: the server casts it, strictly, when it is staged.
 *
 * @throws invalid_field when the definition does not fit the target.
 */
export function modelStatements(target: Target, definition: TargetDefinition): Statements {
  const { mode } = definition;
  const columns = modelColumns(target, definition);
  const { key, mapped, written } = columns;
  const table = qualified(target.database, target.table);
  const staging = qualified(target.database, '_tidemark_batch');
  const staged = key === undefined ? mapped : [key, ...mapped];
  const fitting = matching(target, staging, definition, key);
  const found = fitting ?? { source: `${staging} b`, matches: `t.${key?.name} = b.k` };
  const { source } = found;
  const filter = definition.filter && compile(definition.filter, target.fields, ofTable(mysql, 't'));
  const matches = filter === undefined ? found.matches : `${found.matches} and ${filter}`;
  const assignments = mapped.map(({ name, staged: value, createOnly }) =>
    createOnly ? `t.${name} = coalesce(t.${name}, b.${value})` : `t.${name} = b.${value}`,
  );
  const looks = key !== undefined && mode !== 'append';
  const change = () => {
    if (mode === 'remove') return `delete t from ${table} t join (${source}) on ${matches}`;
    // With nothing but the identity mapped there is nothing to update.
    if (mode === 'create' || assignments.length === 0) return undefined;
    return `update ${table} t join (${source}) on ${matches} set ${assignments.join(', ')}`;
  };
  return {
    stage: [
      `create temporary table if not exists ${staging} (n bigint not null primary key) engine = InnoDB
        select cast(0 as signed) as n, ${staged.map((one) => `t.${one.name} as ${one.staged}`).join(', ')} from ${table} t limit 0`,
      ...(fitting?.prepare ?? []),
    ],
    names: new Map(staged.map((one) => [one.staged.slice(1, -1), one.column.name])),
    matching: fitting,
    clear: `delete from ${staging}`,
    fill: (records) => {
      const rows = records.map((record, n) => `(${[String(n), ...literals(staged, record)].join(', ')})`);
      return bySize(rows).map((list) => `insert into ${staging} values ${list.join(', ')}`);
    },
    known: looks
      ? `select distinct b.n from (${source}) join ${table} t on ${matches} for update`
      : undefined,
    change: looks ? change() : undefined,
    insert:
      mode === 'update' || mode === 'remove'
        ? undefined
        : (apart) => {
            const others = apart.length === 0 ? '' : ` where b.n not in (${apart.join(', ')})`;
            return `insert into ${table} (${written.map(({ name }) => name).join(', ')})
              select ${written.map((one) => `b.${one.staged}`).join(', ')} from ${staging} b${others} order by b.n`;
          },
  };
}
