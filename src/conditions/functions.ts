import type { FieldType } from '../schema/field-type.ts';
import type { FilterFunction } from '../schema/filter.ts';

/** What the value of a condition is read as. */
export type Operand =
  | 'nothing'
  /** One value of the field's type. */
  | 'value'
  /** A time up to which: a day alone means to its end. */
  | 'until'
  | 'values'
  /** Two values: from, until. */
  | 'bounds'
  | 'text'
  /** A text with the wildcards % and _. */
  | 'pattern'
  /** One value of the type of the array's elements. */
  | 'element'
  /** `48 hours ago` */
  | 'relative'
  /** `48 hours` */
  | 'span';

export interface Rule {
  takes: Operand;
  /** Types of fields it suits; undefined: all. */
  types?: readonly FieldType[];
  /** It is true of exactly the rows for which this function is false, those with NULL among them. */
  negates?: PositiveFunction;
}

const negative = {
  Inequality: 'Equality',
  StringDoesNotContain: 'StringContains',
  StringDoesNotStartWith: 'StringStartsWith',
  StringDoesNotEndWith: 'StringEndsWith',
  StringNotOneOf: 'StringOneOf',
  ArrayDoesNotContain: 'ArrayContains',
  StringNotLike: 'StringLike',
} as const satisfies Partial<Record<FilterFunction, FilterFunction>>;

type NegativeFunction = keyof typeof negative;
export type PositiveFunction = Exclude<FilterFunction, NegativeFunction>;

const scalar = ['string', 'number', 'boolean', 'datetime', 'unknown'] as const;
const ordered = ['string', 'number', 'datetime', 'unknown'] as const;
const text = ['string', 'unknown'] as const;
const time = ['datetime'] as const;

const positive: Record<PositiveFunction, Rule> = {
  Equality: { takes: 'value', types: scalar },
  IsNull: { takes: 'nothing' },
  IsNotNull: { takes: 'nothing' },
  True: { takes: 'nothing', types: ['boolean'] },
  False: { takes: 'nothing', types: ['boolean'] },
  OnOrAfter: { takes: 'value', types: time },
  OnOrBefore: { takes: 'until', types: time },
  GreaterThan: { takes: 'value', types: ordered },
  GreaterThanEqual: { takes: 'value', types: ordered },
  LessThan: { takes: 'value', types: ordered },
  LessThanEqual: { takes: 'value', types: ordered },
  StringContains: { takes: 'text', types: text },
  StringStartsWith: { takes: 'text', types: text },
  StringEndsWith: { takes: 'text', types: text },
  StringOneOf: { takes: 'values', types: scalar },
  Between: { takes: 'bounds', types: ordered },
  ArrayContains: { takes: 'element', types: ['array'] },
  InTheLast: { takes: 'span', types: time },
  RelativeOnOrBefore: { takes: 'relative', types: time },
  RelativeOnOrAfter: { takes: 'relative', types: time },
  StringLike: { takes: 'pattern', types: text },
  StringMatchesTrimmed: { takes: 'text', types: text },
};

export function ruleOf(name: FilterFunction): Rule {
  if (!isNegative(name)) return positive[name];
  const negates = negative[name];
  return { ...positive[negates], negates };
}

function isNegative(name: FilterFunction): name is NegativeFunction {
  return Object.hasOwn(negative, name);
}
