import { checkCondition, findField } from './check.ts';
import type { Condition, FilterField, FixedExpression, RelativeFunction } from './expression.ts';
import { type PositiveFunction, ruleOf } from './functions.ts';
import { readOperands } from './operands.ts';
import { type Terms, trimmed } from './terms.ts';

/**
 * An expression as one test.
 *
 * @throws invalid_field when a condition does not suit the fields; its message names the field.
 */
export function build<Result>(
  expression: FixedExpression,
  fields: readonly FilterField[],
  terms: Terms<Result>,
): Result {
  const each = (parts: FixedExpression[]) => parts.map((part) => build(part, fields, terms));
  if ('and' in expression) return terms.all(each(expression.and));
  if ('or' in expression) return terms.any(each(expression.or));
  if ('not' in expression) return terms.not(build(expression.not, fields, terms));
  const place = `filter on ${expression.field}`;
  checkCondition(expression, fields, { field: place, function: place, value: place });
  const field = findField(expression.field, fields, place);
  const operands = readOperands(expression, field, place);
  const { negates } = ruleOf(expression.function);
  return negates === undefined
    ? positive(expression.function as Positive, field, operands, terms)
    : terms.not(positive(negates as Positive, field, operands, terms));
}

type Positive = Exclude<PositiveFunction, RelativeFunction>;

/** The single conditions of an expression: to find out which one a database refuses. */
export function conditionsOf(expression: FixedExpression): Extract<FixedExpression, Condition>[] {
  if ('and' in expression) return expression.and.flatMap(conditionsOf);
  if ('or' in expression) return expression.or.flatMap(conditionsOf);
  return 'not' in expression ? conditionsOf(expression.not) : [expression];
}

function positive<Result>(
  name: Positive,
  field: FilterField,
  operands: string[],
  terms: Terms<Result>,
): Result {
  const [first = '', second = ''] = operands;
  switch (name) {
    case 'IsNull':
      return terms.isNull(field);
    case 'IsNotNull':
      return terms.isNotNull(field);
    case 'True':
      return terms.compare(field, '=', 'true');
    case 'False':
      return terms.compare(field, '=', 'false');
    case 'Equality':
      return terms.compare(field, '=', first);
    case 'GreaterThan':
      return terms.compare(field, '>', first);
    case 'LessThan':
      return terms.compare(field, '<', first);
    case 'GreaterThanEqual':
    case 'OnOrAfter':
      return terms.compare(field, '>=', first);
    case 'LessThanEqual':
    case 'OnOrBefore':
      return terms.compare(field, '<=', first);
    case 'Between':
      return terms.all([terms.compare(field, '>=', first), terms.compare(field, '<=', second)]);
    case 'StringOneOf':
      return terms.oneOf(field, operands);
    case 'StringContains':
      return terms.like(field, `%${escaped(first)}%`);
    case 'StringStartsWith':
      return terms.like(field, `${escaped(first)}%`);
    case 'StringEndsWith':
      return terms.like(field, `%${escaped(first)}`);
    case 'StringLike':
      return terms.like(field, withOwnEscape(first));
    case 'StringMatchesTrimmed':
      return terms.trimmedEquals(field, trimmed(first));
    case 'ArrayContains':
      return terms.contains(field, first);
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
