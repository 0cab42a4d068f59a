import { invalidField } from '../errors.ts';
import type { Condition, Expression, FixedExpression } from './expression.ts';
import { shown } from './shown.ts';
import { parseRelative, parseSpan, parseTime, timeText } from './times.ts';

/**
 * Replaces what counts from now by the times it means, so that an execution that is resumed hours later still
 * reads the same rows.
 *
 * @param now RFC 3339
 * @throws invalid_field for a time before year 1 or after year 9999.
 */
export function atTime(expression: Expression, now: string): FixedExpression {
  const start = parseTime(now);
  if (start === undefined) throw new Error(`${now} is no time`);
  return fix(expression, start.micros);
}

function fix(expression: Expression, now: bigint): FixedExpression {
  if ('and' in expression) return { and: expression.and.map((part) => fix(part, now)) };
  if ('or' in expression) return { or: expression.or.map((part) => fix(part, now)) };
  if ('not' in expression) return { not: fix(expression.not, now) };
  const { field, function: name } = expression;
  switch (name) {
    case 'InTheLast':
      return { field, function: 'Between', value: [fixed(expression, parseSpan, now), timeText(now)] };
    case 'RelativeOnOrAfter':
      return { field, function: 'OnOrAfter', value: fixed(expression, parseRelative, now) };
    case 'RelativeOnOrBefore':
      return { field, function: 'OnOrBefore', value: fixed(expression, parseRelative, now) };
    default:
      return { ...expression, function: name };
  }
}

function fixed(
  { field, value }: Condition,
  parse: (text: string, now: bigint) => bigint | undefined,
  now: bigint,
): string {
  const micros = parse(String(value), now);
  if (micros === undefined) throw invalidField(`filter on ${field}`, `${shown(value)} is out of range`);
  return timeText(micros);
}
