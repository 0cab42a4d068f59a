import type { FilterField } from './expression.ts';

export type Comparison = '=' | '<' | '<=' | '>' | '>=';

/** A field as a statement names it. */
export interface Column extends FilterField {
  sql: string;
}

/**
 * How one database says what every database means. Values come as `readOperands` gives them and must stand in
 * the statement as literals (COPY takes no parameters) that are read in the column's own type, so that an index
 * on the column can serve. What a statement says of NULL may be NULL.
 */
export interface Dialect {
  identifier(name: string): string;
  compare(column: Column, comparison: Comparison, value: string): string;
  oneOf(column: Column, values: readonly string[]): string;
  /** @param pattern with the wildcards % and _, in which `!` takes the next character as it is. */
  like(column: Column, pattern: string): string;
  /** Equal once `whitespace` is taken off the column's ends. */
  trimmedEquals(column: Column, value: string): string;
  /** @param value as an element of the column's arrays. */
  contains(column: Column, value: string): string;
}

export const whitespace = ' \t\n\v\f\r';
