import { type FixedExpression, matcher } from '../conditions/index.ts';
import { splitFilter } from './computed-fields.ts';
import type { Part } from './join-part.ts';

/** Where a field is that has a name among those of all joined models. */
export type Locate = (name: string) => { part: number; field: string };

/**
 * A filter over joined models. Each condition is about a field of one model, so it is answered when that model is
 * read; what the answers add up to is known after the join.
 */
export interface JoinFilter {
  /** What the source of the first model carries out itself. */
  pushed: FixedExpression | undefined;
  /** Of every part: the fields its conditions are about, and the answers of a record to them, as 0s and 1s. */
  asked: { fields: string[]; answer: (values: readonly (string | null)[]) => string }[];
  /** SQL over the answers, which the columns `h0`, `h1` … hold. */
  sql: string | undefined;
}

/** @throws invalid_field when a condition does not suit its field. */
export function joinFilter(
  filter: FixedExpression | undefined,
  parts: readonly Part[],
  locate: Locate,
): JoinFilter {
  const { pushed, kept } = splitFilter(filter, (name) => locate(name).part > 0);
  const tests = parts.map((): ReturnType<typeof matcher>[] => []);
  const toSql = (expression: FixedExpression): string => {
    if ('and' in expression) return `(${expression.and.map(toSql).join(' and ')})`;
    if ('or' in expression) return `(${expression.or.map(toSql).join(' or ')})`;
    if ('not' in expression) return `not ${toSql(expression.not)}`;
    const { part, field } = locate(expression.field);
    const place = tests[part]?.push(matcher({ ...expression, field }, parts[part]?.fields ?? []));
    return `substr(h${part}, ${place}, 1) = '1'`;
  };
  const sql = kept === undefined ? undefined : toSql(kept);
  const asked = tests.map((matchers) => {
    const fields = [...new Set(matchers.flatMap((one) => one.fields))];
    const bound = matchers.map((one) => ({ ...one, places: one.fields.map((name) => fields.indexOf(name)) }));
    return {
      fields,
      answer: (values: readonly (string | null)[]) =>
        bound
          .map(({ places, matches }) => (matches(places.map((place) => values[place] ?? null)) ? '1' : '0'))
          .join(''),
    };
  });
  return { pushed, asked, sql };
}
