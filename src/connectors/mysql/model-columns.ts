import type { Field, OutgoingRecord, TargetDefinition } from '../contract.ts';
import { needIdentity, noColumn } from '../target-definition.ts';
import type { Column } from './columns.ts';
import { literalFor } from './model-literal.ts';
import type { Target } from './model-target.ts';
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
  /** Of the value in a record; the key has none. */
  place?: number;
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
  needIdentity(definition);
  const { identity } = definition;
  const mapped = definition.fields.map((field, index) => ({
    column: columnOf(target, field.target),
    name: identifier(field.target),
    staged: identifier(`v${index}`),
    createOnly: field.createOnly,
    source: field.source,
    place: index,
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
  { key, values }: Pick<OutgoingRecord, 'key' | 'values'>,
): string[] {
  return columns.map(({ column, source, place }) =>
    literalFor(column, source, place === undefined ? keyText(column, key) : (values[place] ?? null)),
  );
}

const truths = new Map([
  ['true', '1'],
  ['false', '0'],
]);

/** The text of a boolean that is a key is the word; a number and bits can be meant by nothing else that reads so. */
function keyText({ rendering }: Column, key: string): string {
  return rendering === 'number' || rendering === 'bits' ? (truths.get(key) ?? key) : key;
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

/** @throws invalid_field */
export function columnOf(target: Target, id: string): Column {
  const column = target.columns.find(({ name }) => name === id);
  if (column !== undefined) return column;
  throw noColumn(`${target.database}.${target.table}`, id);
}
