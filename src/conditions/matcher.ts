import { jsonText } from '../lib/pg-text.ts';
import { build } from './build.ts';
import type { FilterField, FixedExpression } from './expression.ts';
import { elementOf } from './operands.ts';
import { type Order, orderOf } from './order.ts';
import { type Comparison, type Terms, trimmed } from './terms.ts';
import { wildcards } from './wildcards.ts';

/** For sources without a database of their own. */
export interface Matcher {
  /** The fields that it looks at. */
  fields: string[];
  /** @param values of these fields, in their order, in PostgreSQL's text form. */
  matches(values: readonly (string | null)[]): boolean;
}

type Test = (values: readonly (string | null)[]) => boolean;

/** An expression to be asked row by row. @throws invalid_field when a condition does not suit the fields. */
export function matcher(expression: FixedExpression, fields: readonly FilterField[]): Matcher {
  const used: string[] = [];
  const placeOf = ({ name }: FilterField): number => {
    if (!used.includes(name)) used.push(name);
    return used.indexOf(name);
  };
  const test = (field: FilterField, holds: (value: string) => boolean): Test => {
    const place = placeOf(field);
    return (values) => {
      const value = values[place] ?? null;
      return value !== null && holds(value);
    };
  };
  const terms: Terms<Test> = {
    all: (parts) => (values) => parts.every((part) => part(values)),
    any: (parts) => (values) => parts.some((part) => part(values)),
    not: (part) => (values) => !part(values),
    isNull: (field) => terms.not(terms.isNotNull(field)),
    isNotNull: (field) => test(field, () => true),
    compare(field, comparison, operand) {
      const order = orderOf(field);
      return test(field, (value) => answers[comparison](order(value, operand)));
    },
    oneOf: (field, operands) => terms.any(operands.map((operand) => terms.compare(field, '=', operand))),
    like: (field, pattern) => test(field, wildcards(pattern)),
    trimmedEquals: (field, operand) => test(field, (value) => trimmed(value) === operand),
    contains(field, operand) {
      const order = orderOf(elementOf(field, `filter on ${field.name}`));
      return test(field, (value) => elements(value).some((one) => one !== null && order(one, operand) === 0));
    },
  };
  const whole = build(expression, fields, terms);
  return { fields: used, matches: whole };
}

const answers: Record<Comparison, (order: ReturnType<Order>) => boolean> = {
  '=': (order) => order === 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/** Of an array of any depth, as texts. */
function elements(array: string): (string | null)[] {
  const parsed: unknown = JSON.parse(jsonText(array, { type: 'array', remoteType: 'text[]' }));
  return Array.isArray(parsed) ? (parsed.flat(Infinity) as (string | null)[]) : [];
}
