export { hintAt, subquery, whereInQuery } from './model-sql.ts';
export { mostKnown, noTable } from './no-table.ts';
export { dialects } from './sql-tokens.ts';
