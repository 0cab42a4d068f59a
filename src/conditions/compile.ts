import { checkCondition, findField } from './check.ts';
import { type Column, type Dialect, whitespace } from './dialect.ts';
import type { Condition, FilterField, FixedExpression, RelativeFunction } from './expression.ts';
import { type PositiveFunction, ruleOf } from './functions.ts';
import { readOperands } from './operands.ts';

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
  const all = (parts: FixedExpression[]) => parts.map((part) => compile(part, fields, dialect));
  if ('and' in expression) return `(${all(expression.and).join(' and ')})`;
  if ('or' in expression) return `(${all(expression.or).join(' or ')})`;
  if ('not' in expression) return negated(compile(expression.not, fields, dialect));
  const place = `filter on ${expression.field}`;
  checkCondition(expression, fields, { field: place, function: place, value: place });
  const field = findField(expression.field, fields, place);
  const column = { ...field, sql: dialect.identifier(field.name) };
  const operands = readOperands(expression, field, place);
  const { negates } = ruleOf(expression.function);
  return negates === undefined
    ? positive(expression.function as Positive, column, operands, dialect)
    : negated(positive(negates as Positive, column, operands, dialect));
}

type Positive = Exclude<PositiveFunction, RelativeFunction>;

/** The single conditions of an expression: to find out which one a database refuses. */
export function conditionsOf(expression: FixedExpression): Extract<FixedExpression, Condition>[] {
  if ('and' in expression) return expression.and.flatMap(conditionsOf);
  if ('or' in expression) return expression.or.flatMap(conditionsOf);
  return 'not' in expression ? conditionsOf(expression.not) : [expression];
}

/** NULL counts as false. */
function negated(sql: string): string {
  return `(${sql}) is not true`;
}

function positive(name: Positive, column: Column, operands: string[], dialect: Dialect): string {
  const [first = '', second = ''] = operands;
  switch (name) {
    case 'IsNull':
      return `${column.sql} is null`;
    case 'IsNotNull':
      return `${column.sql} is not null`;
    case 'True':
      return dialect.compare(column, '=', 'true');
    case 'False':
      return dialect.compare(column, '=', 'false');
    case 'Equality':
      return dialect.compare(column, '=', first);
    case 'GreaterThan':
      return dialect.compare(column, '>', first);
    case 'LessThan':
      return dialect.compare(column, '<', first);
    case 'GreaterThanEqual':
    case 'OnOrAfter':
      return dialect.compare(column, '>=', first);
    case 'LessThanEqual':
    case 'OnOrBefore':
      return dialect.compare(column, '<=', first);
    case 'Between':
      return `(${dialect.compare(column, '>=', first)} and ${dialect.compare(column, '<=', second)})`;
    case 'StringOneOf':
      return dialect.oneOf(column, operands);
    case 'StringContains':
      return dialect.like(column, `%${escaped(first)}%`);
    case 'StringStartsWith':
      return dialect.like(column, `${escaped(first)}%`);
    case 'StringEndsWith':
      return dialect.like(column, `%${escaped(first)}`);
    case 'StringLike':
      return dialect.like(column, withOwnEscape(first));
    case 'StringMatchesTrimmed':
      return dialect.trimmedEquals(column, trimmed(first));
    case 'ArrayContains':
      return dialect.contains(column, first);
  }
}

/** No backslash: databases disagree on when it means something. */
function escaped(text: string): string {
  return text.replaceAll(/[%_!]/g, '!$&');
}

/** A user's pattern, where a backslash takes the next character as it is. */
function withOwnEscape(pattern: string): string {
  return pattern.replaceAll(/\\(.)|!/gsu, (one, taken?: string) =>
    taken === undefined ? `!${one}` : escaped(taken),
  );
}

function trimmed(text: string): string {
  const ends = new RegExp(`^[${whitespace}]+|[${whitespace}]+$`, 'g');
  return text.replaceAll(ends, '');
}
