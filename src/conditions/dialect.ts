import type { FilterField } from './expression.ts';
import type { FieldTerms } from './terms.ts';

/** A field as a statement names it. */
export interface Column extends FilterField {
  sql: string;
}

/**
 * How one database says what every database means. Values must stand in the statement as literals (COPY takes no
 * parameters) that are read in the column's own type, so that an index on the column can serve.
 */
export interface Dialect extends FieldTerms<Column, string> {
  identifier(name: string): string;
}

/** With the fields being those of one of the statement's tables. */
export function ofTable(dialect: Dialect, alias: string): Dialect {
  return { ...dialect, identifier: (name) => `${alias}.${dialect.identifier(name)}` };
}
