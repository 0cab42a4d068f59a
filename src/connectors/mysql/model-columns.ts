import { TidemarkError } from '../../errors.ts';
import type { Field, OutgoingRecord, TargetDefinition } from '../contract.ts';
import type { Column } from './columns.ts';
import type { Target } from './model-destination.ts';
import { literalFor } from './model-literal.ts';
import { identifier } from './quote.ts';

const statementLength = 1024 * 1024;

/** A column of the target that a sync writes. */
export interface WrittenColumn {
  column: Column;
  /** As SQL. */
  name: string;
  /** As SQL, in the staging table. */
  staged: string;
  createOnly: boolean;
  /** Of the text that comes. */
  source: Pick<Field, 'type' | 'remoteType'>;
}

export interface Columns {
  key: WrittenColumn | undefined;
  /** Of the definition's fields, in order. */
  mapped: WrittenColumn[];
  /** The mapped ones and the key's, unless a mapping writes that anyway. */
  written: WrittenColumn[];
}

/** @throws invalid_field when the definition does not fit the target. */
export function modelColumns(target: Target, definition: TargetDefinition): Columns {
  const { identity, mode } = definition;
  if (identity === undefined && (mode === 'update' || mode === 'updateOrCreate' || mode === 'remove')) {
    throw wrong('identity', `is needed in mode ${mode}`);
  }
  const mapped = definition.fields.map((field, index) => ({
    column: columnOf(target, field.target),
    name: identifier(field.target),
    staged: identifier(`v${index}`),
    createOnly: field.createOnly,
    source: field.source,
  }));
  const key = identity === undefined ? undefined : keyColumn(columnOf(target, identity));
  const writesKey = key !== undefined && !mapped.some(({ name }) => name === key.name);
  return { key, mapped, written: writesKey ? [key, ...mapped] : mapped };
}

/** A key is the text of a value that may come from anywhere; its own column says how it reads. */
function keyColumn(column: Column): WrittenColumn {
  const source = { type: column.field, remoteType: column.type };
  return { column, name: identifier(column.name), staged: identifier('k'), createOnly: false, source };
}

/** The values of a record for these columns, as literals. */
export function literals(
  columns: readonly WrittenColumn[],
  { key, mapped }: Columns,
  record: OutgoingRecord,
): string[] {
  return columns.map((one) => {
    const text = one === key ? record.key : (record.values[mapped.indexOf(one)] ?? null);
    return literalFor(one.column, one.source, text);
  });
}

/** Lists that are well below what a server takes as one statement; a single row may be longer. */
export function bySize(rows: readonly string[]): string[][] {
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

function columnOf(target: Target, id: string): Column {
  const column = target.columns.find(({ name }) => name === id);
  if (column !== undefined) return column;
  throw wrong(`fields.${id}`, `${target.database}.${target.table} has no such column`);
}

function wrong(field: string, reason: string): TidemarkError {
  return new TidemarkError('invalid_field', { field, reason });
}
