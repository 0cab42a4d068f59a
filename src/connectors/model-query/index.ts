export { hintAt, subquery, whereInQuery } from './model-sql.ts';
export { dialects } from './sql-tokens.ts';
