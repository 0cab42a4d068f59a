import type { TargetDefinition } from '../contract.ts';
import { noColumn } from '../target-definition.ts';
import type { Target } from './model-target.ts';
import { identifier } from './quote.ts';

/** A column of the target that a sync writes or compares. */
export interface Column {
  /** As SQL. */
  name: string;
  /** Its type without length or precision. */
  baseType: string;
}

/** One with its values in the staging table. */
export interface StagedColumn extends Column {
  /** Name there. */
  staged: string;
  createOnly: boolean;
}

export interface Columns {
  key: Column | undefined;
  /** Of the definition's fields, in order. */
  mapped: StagedColumn[];
  /** The mapped ones and the key's, unless a mapping writes that anyway. */
  written: StagedColumn[];
}

/** @throws invalid_field when the definition does not fit the target. */
export function columnsOf(target: Target, definition: TargetDefinition): Columns {
  const { identity } = definition;
  const mapped = definition.fields.map((field, index) => ({
    ...column(target, field.target),
    createOnly: field.createOnly,
    staged: `v${index}`,
  }));
  const key = identity === undefined ? undefined : column(target, identity);
  const written =
    key === undefined || mapped.some(({ name }) => name === key.name)
      ? mapped
      : [{ ...key, staged: 'k', createOnly: false }, ...mapped];
  return { key, mapped, written };
}

function column(target: Target, id: string): Column {
  const baseType = target.baseTypes.get(id);
  if (baseType === undefined) throw noColumn(target.table, id);
  return { name: identifier(id), baseType };
}
