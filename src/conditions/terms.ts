import type { FilterField } from './expression.ts';

export type Comparison = '=' | '<' | '<=' | '>' | '>=';

/**
 * What every condition comes down to, for whoever carries it out: as SQL, or on rows. Values come as `readOperands`
 * gives them. Except for `not`, `isNull` and `isNotNull`, a test of NULL may be NULL instead of false.
 */
export interface Terms<Result> extends FieldTerms<FilterField, Result> {
  all(terms: Result[]): Result;
  any(terms: Result[]): Result;
  /** True where the test is false or NULL. */
  not(test: Result): Result;
  isNull(field: FilterField): Result;
  isNotNull(field: FilterField): Result;
}

export interface FieldTerms<Field, Result> {
  compare(field: Field, comparison: Comparison, value: string): Result;
  oneOf(field: Field, values: readonly string[]): Result;
  /** @param pattern with the wildcards % and _, in which `!` takes the next character as it is. */
  like(field: Field, pattern: string): Result;
  /** Equal once `whitespace` is taken off the field's ends. */
  trimmedEquals(field: Field, value: string): Result;
  /** @param value as an element of the field's arrays. */
  contains(field: Field, value: string): Result;
}

export const whitespace = ' \t\n\v\f\r';

export function trimmed(text: string): string {
  return text.replaceAll(ends, '');
}

const ends = new RegExp(`^[${whitespace}]+|[${whitespace}]+$`, 'g');
