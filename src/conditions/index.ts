export { checkCondition } from './check.ts';
export type { Condition } from './expression.ts';
export { mostConditions } from './labels.ts';
