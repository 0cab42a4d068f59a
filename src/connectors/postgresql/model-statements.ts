import pg from 'pg';
import { TidemarkError } from '../../errors.ts';
import type { TargetDefinition } from '../contract.ts';
import type { Target } from './model-destination.ts';

/** The SQL of one sync's batches. Every identifier is quoted; every value is cast by the server. */
export interface Statements {
  /** Once per session: the staging table, n (position in the batch), key and one text column per value. */
  stage: string;
  copy: string;
  /** Return the n of records that the target has; the update also writes them. */
  known: string[];
  /** Takes the n that are known, as an array. Undefined in mode update. */
  insert: string | undefined;
}

const staging = 'pg_temp.tidemark_batch';

/** @throws invalid_field when the definition does not fit the target. */
export function modelStatements(target: Target, definition: TargetDefinition): Statements {
  const { mode, identity } = definition;
  if (mode === 'replace' || mode === 'remove') throw wrong('mode', `${mode} is not built yet`);
  const columns = definition.fields.map((field, index) => ({
    ...column(target, field.target),
    ...field,
    index,
  }));
  const key = identity === undefined ? undefined : column(target, identity);
  if (key === undefined && (mode === 'update' || mode === 'updateOrCreate')) {
    throw wrong('identity', `is needed in mode ${mode}`);
  }
  // The key is written as well, unless a mapping writes that column anyway.
  const writesKey = key !== undefined && !columns.some(({ name }) => name === key.name);
  const inserted = [
    ...(key !== undefined && writesKey ? [key.name] : []),
    ...columns.map(({ name }) => name),
  ];
  const values = [
    ...(key !== undefined && writesKey ? [`b.key::${key.type}`] : []),
    ...columns.map(({ type, index }) => `b.v${index}::${type}`),
  ];
  const matches = key === undefined ? 'false' : `t.${key.name} = b.key::${key.type}`;
  const assignments = columns.map(({ name, type, index, createOnly }) =>
    createOnly ? `${name} = coalesce(t.${name}, b.v${index}::${type})` : `${name} = b.v${index}::${type}`,
  );

  const existing = `select b.n from ${staging} b where exists (select from ${target.table} t where ${matches})`;
  const update = `update ${target.table} t set ${assignments.join(', ')} from ${staging} b where ${matches} returning b.n`;
  const insert = `insert into ${target.table} (${inserted.join(', ')})
    select ${values.join(', ')} from ${staging} b where b.n <> all ($1::int[]) order by b.n`;
  const updates = mode === 'update' || mode === 'updateOrCreate';
  return {
    stage: `create temporary table if not exists tidemark_batch (${['n int', 'key text', ...columns.map(({ index }) => `v${index} text`)].join(', ')}) on commit delete rows`,
    copy: `copy ${staging} from stdin`,
    known: knownStatements(),
    insert: mode === 'update' ? undefined : insert,
  };

  function knownStatements(): string[] {
    if (mode === 'append' || key === undefined) return [];
    // With nothing but the identity mapped there is nothing to update.
    return updates && assignments.length > 0 ? [update] : [existing];
  }
}

function column(target: Target, id: string): { name: string; type: string } {
  const field = target.fields.find((one) => one.id === id);
  if (field === undefined) throw wrong(`fields.${id}`, `${target.table} has no such column`);
  return { name: pg.escapeIdentifier(field.id), type: field.remoteType };
}

function wrong(field: string, reason: string): TidemarkError {
  return new TidemarkError('invalid_field', { field, reason });
}
