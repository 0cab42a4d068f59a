import { TidemarkError } from '../../errors.ts';
import type { OutgoingRecord, TargetDefinition } from '../contract.ts';
import type { Column } from './columns.ts';
import type { Target } from './model-destination.ts';
import { literalFor } from './model-literal.ts';
import { identifier, qualified } from './quote.ts';

const statementLength = 1024 * 1024;

/** The SQL of one sync's batches. */
export interface Statements {
  /** Once per session: a temporary table with n (position in the batch), the key and one column per value. */
  stage: string;
  clear: string;
  /** Several, where the records are long. */
  fill(records: readonly OutgoingRecord[]): string[];
  /** The n of records that the target has. Undefined: nobody asks. */
  known: string | undefined;
  /** Updates or deletes them. */
  change: string | undefined;
  /** Undefined in the modes update and remove. */
  insert: ((known: ReadonlySet<number>) => string) | undefined;
}

/** Columns of a staged value have the target's own types: the server casts it, strictly, when it is staged. */
export function modelStatements(target: Target, definition: TargetDefinition): Statements {
  const { mode, identity } = definition;
  if (mode === 'replace') throw wrong('mode', 'replace is not offered for tables of MySQL');
  const table = qualified(target.database, target.table);
  const staging = qualified(target.database, '_tidemark_batch');
  const columns = definition.fields.map((field, index) => ({
    ...field,
    column: columnOf(target, field.target),
    name: identifier(field.target),
    staged: identifier(`v${index}`),
  }));
  const key = identity === undefined ? undefined : columnOf(target, identity);
  if (key === undefined && (mode === 'update' || mode === 'updateOrCreate' || mode === 'remove')) {
    throw wrong('identity', `is needed in mode ${mode}`);
  }
  // The key is written as well, unless a mapping writes that column anyway.
  const writesKey = key !== undefined && !columns.some(({ target: id }) => id === key.name);
  const keyName = key === undefined ? '' : identifier(key.name);
  const matches = `t.${keyName} = b.k`;
  const assignments = columns.map(({ name, staged, createOnly }) =>
    createOnly ? `t.${name} = coalesce(t.${name}, b.${staged})` : `t.${name} = b.${staged}`,
  );
  const staged = [
    'cast(0 as signed) as n',
    ...(key === undefined ? [] : [`t.${keyName} as k`]),
    ...columns.map((one) => `t.${one.name} as ${one.staged}`),
  ];
  const inserted = [...(writesKey ? [keyName] : []), ...columns.map(({ name }) => name)];
  const values = [...(writesKey ? ['b.k'] : []), ...columns.map((one) => `b.${one.staged}`)];
  const looks = key !== undefined && mode !== 'append';
  const change = () => {
    if (mode === 'remove') return `delete t from ${table} t join ${staging} b on ${matches}`;
    // With nothing but the identity mapped there is nothing to update.
    if (mode === 'create' || assignments.length === 0) return undefined;
    return `update ${table} t join ${staging} b on ${matches} set ${assignments.join(', ')}`;
  };
  return {
    stage: `create temporary table if not exists ${staging} engine = InnoDB select ${staged.join(', ')} from ${table} t limit 0`,
    clear: `delete from ${staging}`,
    fill: (records) => {
      const rows = records.map((record, n) => {
        const texts = columns.map(({ column, source }, index) =>
          literalFor(column, source, record.values[index] ?? null),
        );
        const first = key === undefined ? [] : [literalFor(key, keySource(key), record.key)];
        return `(${[String(n), ...first, ...texts].join(', ')})`;
      });
      return bySize(rows).map((list) => `insert into ${staging} values ${list.join(', ')}`);
    },
    known: looks
      ? `select distinct b.n from ${staging} b join ${table} t on ${matches} for update`
      : undefined,
    change: looks ? change() : undefined,
    insert:
      mode === 'update' || mode === 'remove'
        ? undefined
        : (known) => {
            const others = known.size === 0 ? '' : ` where b.n not in (${[...known].join(', ')})`;
            return `insert into ${table} (${inserted.join(', ')}) select ${values.join(', ')} from ${staging} b${others} order by b.n`;
          },
  };
}

/** Lists that are well below what a server takes as one statement; a single row may be longer. */
function bySize(rows: readonly string[]): string[][] {
  const lists: string[][] = [];
  let length = statementLength;
  for (const row of rows) {
    if (length >= statementLength) {
      lists.push([]);
      length = 0;
    }
    lists.at(-1)?.push(row);
    length += row.length;
  }
  return lists;
}

/** A key is the text of a value that may come from anywhere; its own column says how it reads. */
function keySource({ field, type }: Column) {
  return { type: field, remoteType: type };
}

function columnOf(target: Target, id: string): Column {
  const column = target.columns.find(({ name }) => name === id);
  if (column !== undefined) return column;
  throw wrong(`fields.${id}`, `${target.database}.${target.table} has no such column`);
}

function wrong(field: string, reason: string): TidemarkError {
  return new TidemarkError('invalid_field', { field, reason });
}
