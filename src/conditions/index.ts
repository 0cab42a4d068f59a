export { atTime } from './at-time.ts';
export { checkCondition } from './check.ts';
export { compile, conditionsOf } from './compile.ts';
export { duckdb } from './duckdb.ts';
export type { Condition, Expression, FilterField, FixedExpression } from './expression.ts';
export { assignLabels, mostConditions } from './labels.ts';
export { parseLogic } from './logic.ts';
export { mysql } from './mysql.ts';
export { postgresql } from './postgresql.ts';
