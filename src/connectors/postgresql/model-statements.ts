import { compile, ofTable, postgresql } from '../../conditions/index.ts';
import type { TargetDefinition } from '../contract.ts';
import { needIdentity } from '../target-definition.ts';
import { type Columns, columnsOf } from './model-columns.ts';
import { type Direct, directInsert } from './model-direct.ts';
import { type Matching, matching } from './model-matching.ts';
import { createStaging, staging } from './model-stage.ts';
import type { Target } from './model-target.ts';

/** The SQL of one sync's batches. Every identifier is quoted; the server reads every value as its column's type. */
export interface Statements {
  /** Once per session. */
  prepare: string;
  /** Returns the n of records that the target has; an update or delete does its work with it. */
  known: string | undefined;
  /** Where the identity may fit more than one value. */
  matching: Matching | undefined;
  /** Run around it. */
  before?: string;
  after?: string;
  /** Takes the n that are known, as an array. Undefined in the modes that insert nothing. */
  insert: string | undefined;
  /** For batches of which the target has nothing. */
  direct: Direct | undefined;
}

/**
 * The server knows nothing of a batch that was just staged and little of a target that grows, and rather reads the
 * whole target for every batch than look for each record in the index that is there.
 */
const plans = ['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'jit'];
const byIndex = {
  before: plans.map((setting) => `set local ${setting} = off`).join('; '),
  after: plans.map((setting) => `set local ${setting} to default`).join('; '),
};

/** @throws invalid_field when the definition does not fit the target. */
export function modelStatements(target: Target, definition: TargetDefinition): Statements {
  needIdentity(definition);
  const { mode, identity } = definition;
  const columns = columnsOf(target, definition);
  const { key, mapped, written } = columns;
  const inserts = mode !== 'update' && mode !== 'remove';
  const fitting = matching(target.table, definition, key);
  const direct = directInsert(target, definition, columns);
  // A record that becomes a row is a list of one where the identity is a member.
  const isList = fitting !== undefined && key?.baseType.endsWith('[]');
  const values = written.map(({ staged }) => (isList && staged === 'k' ? 'array[b.k]' : `b.${staged}`));
  return {
    prepare: [
      createStaging(
        fitting === undefined ? key?.baseType : 'text',
        mapped.map(({ baseType }) => baseType),
      ),
      ...(fitting === undefined ? [] : [fitting.prepare]),
      ...(direct === undefined ? [] : [direct.prepare]),
    ].join('; '),
    known: knownStatement(target, definition, columns, fitting),
    matching: fitting,
    ...(fitting === undefined && identity !== undefined && target.indexedFields.has(identity) ? byIndex : {}),
    insert: inserts
      ? `insert into ${target.table} (${written.map(({ name }) => name).join(', ')})
         select ${values.join(', ')} from ${staging} b
         where b.n <> all ($1::int[]) order by b.n`
      : undefined,
    direct,
  };
}

function knownStatement(
  { table, fields }: Target,
  { mode, filter }: TargetDefinition,
  { key, mapped }: Columns,
  fitting: Matching | undefined,
): string | undefined {
  if (mode === 'append' || key === undefined) return undefined;
  const found = fitting ?? { source: `${staging} b`, matches: `t.${key.name} = b.k` };
  const { source } = found;
  const wanted = filter && compile(filter, fields, ofTable(postgresql, 't'));
  const matches = wanted === undefined ? found.matches : `${found.matches} and ${wanted}`;
  if (mode === 'remove') return `delete from ${table} t using ${source} where ${matches} returning b.n`;
  // With nothing but the identity mapped there is nothing to update.
  if (mode === 'create' || mapped.length === 0) {
    return `select b.n from ${source} where exists (select from ${table} t where ${matches})`;
  }
  const assignments = mapped.map(({ name, staged, createOnly }) =>
    createOnly ? `${name} = coalesce(t.${name}, b.${staged})` : `${name} = b.${staged}`,
  );
  return `update ${table} t set ${assignments.join(', ')} from ${source} where ${matches} returning b.n`;
}
