import { invalidField } from '../errors.ts';
import { type FilterFunction, filterFunctions } from '../schema/filter.ts';
import type { Condition, FilterField } from './expression.ts';
import { ruleOf } from './functions.ts';
import { readOperands } from './operands.ts';
import { shown } from './shown.ts';

const mostShown = 50;

/** A condition as a request has it. */
export interface ConditionRequest {
  field: string;
  function: string;
  value?: unknown;
}

/**
 * Checks a condition against the fields it may name.
 *
 * @param fields undefined while they are not known: what depends on them is checked when the condition is used.
 * @param places of its parts in the request, to be named in errors.
 * @throws invalid_field
 */
export function checkCondition(
  request: ConditionRequest,
  fields: readonly FilterField[] | undefined,
  places: { field: string; function: string; value: string },
): Condition {
  const { field: name, function: given, value } = request;
  if (name === '') throw invalidField(places.field, 'is needed: the field to filter by');
  if (!isFilterFunction(given)) {
    throw invalidField(
      places.function,
      `${shown(given)} is no function; there are ${filterFunctions.join(', ')}`,
    );
  }
  const field = fields && findField(name, fields, places.field);
  if (field !== undefined && !suits(given, field)) {
    const others = filterFunctions.filter((one) => suits(one, field)).join(', ');
    throw invalidField(
      places.function,
      `${given} does not suit ${name} (${field.type}), which takes ${others}`,
    );
  }
  // A request body is JSON, so its members are.
  const condition = { field: name, function: given, value: (value ?? null) as Condition['value'] };
  readOperands(condition, field, places.value);
  return condition;
}

/** @throws invalid_field with the fields that there are. */
export function findField(name: string, fields: readonly FilterField[], place: string): FilterField {
  const field = fields.find((one) => one.name === name);
  if (field !== undefined) return field;
  const known = fields.slice(0, mostShown).map((one) => `${one.name} (${one.type})`);
  if (fields.length > mostShown) known.push('…');
  throw invalidField(place, `${shown(name)} is no field; there are ${known.join(', ')}`);
}

function suits(name: FilterFunction, field: FilterField): boolean {
  return ruleOf(name).types?.includes(field.type) ?? true;
}

function isFilterFunction(name: string): name is FilterFunction {
  return (filterFunctions as readonly string[]).includes(name);
}
