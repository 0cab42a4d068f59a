import type { TargetDefinition } from '../contract.ts';
import { identifier, type ReadColumn, storage } from '../duckdb-engine/index.ts';
import { needIdentity, noColumn } from '../target-definition.ts';
import type { Target } from './model-destination.ts';

/** A column of the target that a sync writes. */
export interface WrittenColumn {
  column: ReadColumn;
  /** As SQL. */
  name: string;
  /** SQL for what a staged record (`b`) gives it, in its type. */
  value: string;
  createOnly: boolean;
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
  const { identity, fields } = definition;
  const mapped = fields.map((field, index) =>
    written(columnOf(target, field.target), `b.v[${index + 1}]`, field.createOnly),
  );
  const key = identity === undefined ? undefined : written(columnOf(target, identity), 'b.key', false);
  const writesKey = key !== undefined && !mapped.some(({ name }) => name === key.name);
  return { key, mapped, written: writesKey ? [key, ...mapped] : mapped };
}

function written(column: ReadColumn, text: string, createOnly: boolean): WrittenColumn {
  return { column, name: identifier(column.name), value: castValue(column, text), createOnly };
}

/**
 * DuckDB would round 1.5 to a whole number, where it is asked for one. Its own cast reads what a quick one for plain
 * decimals would make something else of: 1.5e-3.
 */
export function castValue({ carrier, typeName }: ReadColumn, text: string): string {
  const whole = /INT(EGER)?$/.test(typeName);
  const checked = whole
    ? `if(regexp_matches(${text}, '[^0-9+ -]'), 'not whole: ' || ${text}, ${text})`
    : text;
  const value = storage(carrier).value(checked);
  const cast = `cast(${value} as ${typeName})`;
  if (!typeName.startsWith('DECIMAL') || typeName.endsWith(']')) return cast;
  return `if(regexp_full_match(${text}, '-?[0-9]+([.][0-9]+)?'), ${cast}, cast(${text} as ${typeName}))`;
}

/** @throws invalid_field */
export function columnOf(target: Target, id: string): ReadColumn {
  const column = target.columns.find(({ name }) => name === id);
  if (column === undefined) throw noColumn(target.table, id);
  return column;
}
