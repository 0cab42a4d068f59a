import { build } from './build.ts';
import type { Dialect } from './dialect.ts';
import type { FilterField, FixedExpression } from './expression.ts';
import type { Terms } from './terms.ts';

/**
 * An expression as an SQL condition, in brackets where it needs them: true of the rows that are wanted, false or
 * NULL of the others.
 *
 * @throws invalid_field when a condition does not suit the fields; its message names the field.
 */
export function compile(
  expression: FixedExpression,
  fields: readonly FilterField[],
  dialect: Dialect,
): string {
  const columnOf = (field: FilterField) => ({ ...field, sql: dialect.identifier(field.name) });
  const terms: Terms<string> = {
    all: (parts) => `(${parts.join(' and ')})`,
    any: (parts) => `(${parts.join(' or ')})`,
    not: (part) => `(${part}) is not true`,
    isNull: (field) => `${columnOf(field).sql} is null`,
    isNotNull: (field) => `${columnOf(field).sql} is not null`,
    compare: (field, comparison, value) => dialect.compare(columnOf(field), comparison, value),
    oneOf: (field, values) => dialect.oneOf(columnOf(field), values),
    like: (field, pattern) => dialect.like(columnOf(field), pattern),
    trimmedEquals: (field, value) => dialect.trimmedEquals(columnOf(field), value),
    contains: (field, value) => dialect.contains(columnOf(field), value),
  };
  return build(expression, fields, terms);
}
