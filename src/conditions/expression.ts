import type { Json } from '../lib/json.ts';
import type { FieldType } from '../schema/field-type.ts';
import type { FilterFunction } from '../schema/filter.ts';

/** A field that a condition may name. `remoteType` is the source's own type name, e.g. `numeric(20,4)`. */
export interface FilterField {
  name: string;
  type: FieldType;
  remoteType: string;
}

export interface Condition<Name extends FilterFunction = FilterFunction> {
  field: string;
  function: Name;
  value: Json;
}

/**
 * Which rows are wanted. Everything in it is true or false, never unknown: a condition on NULL is false, a
 * negative one is the opposite of its positive, and `not` is the complement. Plain JSON, to be kept.
 */
export type Expression<Name extends FilterFunction = FilterFunction> =
  | Condition<Name>
  | { and: Expression<Name>[] }
  | { or: Expression<Name>[] }
  | { not: Expression<Name> };

/** Functions whose value counts from the time it is. */
export type RelativeFunction = 'InTheLast' | 'RelativeOnOrAfter' | 'RelativeOnOrBefore';

/** An expression that means the same at any time: see `atTime`. */
export type FixedExpression = Expression<Exclude<FilterFunction, RelativeFunction>>;
