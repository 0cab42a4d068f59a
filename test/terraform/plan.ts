import { isDeepStrictEqual } from 'node:util';

/** A value of a configuration or state; `undefined` and null are Terraform's null. */
export type Value = string | number | boolean | null | undefined | readonly Value[] | Values;
export interface Values {
  readonly [name: string]: Value;
}

/** What is known after apply. */
export const unknown: Value = { unknown: true };

/**
 * An attribute of a resource, as the provider declares it.
 *
 * - `given`: null unless the configuration has it.
 * - `computed`: left to the server where the configuration has none, and anew with every update.
 * - `kept`: the same, but that an update plans what the state has (UseStateForUnknown).
 */
export interface Attribute {
  is: 'given' | 'computed' | 'kept';
  default?: Value;
  /** Members of an object, or of the objects of a set. */
  nested?: Shape;
  /** Of the configuration of a connection: the provider puts back what the server masks. */
  sensitive?: true;
  /** What Go has for nothing; by default an empty text. */
  zero?: Value;
}
export type Shape = Readonly<Record<string, Attribute>>;

export const given: Attribute = { is: 'given' };
export const computed: Attribute = { is: 'computed' };
export const kept: Attribute = { is: 'kept' };
export const withDefault = (value: Value): Attribute => ({ is: 'kept', default: value });
export const nested = (shape: Shape, is: Attribute['is'] = 'given'): Attribute => ({ is, nested: shape });

/** What an apply is going to make, as far as it is known before. @param state undefined for what is to be created. */
export function planned(shape: Shape, configuration: Values, state?: Values): Values {
  return mapShape(shape, (name, attribute) => {
    const own = configuration[name] ?? attribute.default ?? null;
    const before = state?.[name];
    if (own === null) return plannedWithout(attribute, before);
    return attribute.nested === undefined ? own : plannedInside(attribute.nested, own, before);
  });
}

function plannedWithout({ is }: Attribute, before: Value): Value {
  if (is === 'given') return null;
  return is === 'kept' && before !== undefined ? before : unknown;
}

function plannedInside(shape: Shape, own: Value, before: Value): Value {
  // Elements of a set have no place by which the state's could be found.
  if (isList(own)) return own.map((item) => planned(shape, item as Values));
  return planned(shape, own as Values, (before ?? undefined) as Values | undefined);
}

/** What a plan shows: nothing where the state is what the configuration says. */
export function differences(shape: Shape, configuration: Values, state: Values, at = ''): string[] {
  return Object.entries(shape).flatMap(([name, attribute]) => {
    const place = at === '' ? name : `${at}.${name}`;
    const own = configuration[name] ?? attribute.default ?? null;
    const is = state[name] ?? null;
    if (own === null) return attribute.is === 'given' && is !== null ? [told(place, null, is)] : [];
    const { nested: inner } = attribute;
    if (inner === undefined) return sameSet(own, is) ? [] : [told(place, own, is)];
    if (is === null) return [told(place, own, is)];
    if (!isList(own)) return differences(inner, own as Values, is as Values, place);
    const match = (one: Value, other: Value) =>
      differences(inner, one as Values, other as Values).length === 0;
    return pairs(own, is as readonly Value[], match) ? [] : [told(place, own, is)];
  });
}

/** What Terraform calls an inconsistent result after apply: what was known before is something else. */
export function inconsistencies(plan: Value, result: Value, at = ''): string[] {
  if (plan === unknown) return [];
  if (isList(plan)) {
    const match = (one: Value, other: Value) => inconsistencies(one, other).length === 0;
    return isList(result) && pairs(plan, result, match) ? [] : [told(at, plan, result)];
  }
  if (typeof plan === 'object' && plan !== null && typeof result === 'object' && result !== null) {
    return Object.entries(plan).flatMap(([name, value]) =>
      inconsistencies(value, (result as Values)[name], at === '' ? name : `${at}.${name}`),
    );
  }
  return (plan ?? null) === (result ?? null) ? [] : [told(at, plan, result)];
}

/** The attributes of a resource that differ, lists as sets. */
export function changed(before: Values, after: Values): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => !sameSet(before[name] ?? null, after[name] ?? null)).sort();
}

function sameSet(one: Value, other: Value): boolean {
  if (isList(one) && isList(other)) return pairs(one, other, sameSet);
  return isDeepStrictEqual(withoutNulls(one), withoutNulls(other));
}

function pairs(
  ones: readonly Value[],
  others: readonly Value[],
  match: (one: Value, other: Value) => boolean,
) {
  return ones.length === others.length && ones.every((one) => others.some((other) => match(one, other)));
}

function withoutNulls(value: Value): unknown {
  if (isList(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value ?? null;
  const members = Object.entries(value).filter(([, member]) => (member ?? null) !== null);
  return Object.fromEntries(members.map(([name, member]) => [name, withoutNulls(member)]));
}

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);

function mapShape(shape: Shape, map: (name: string, attribute: Attribute) => Value): Values {
  return Object.fromEntries(Object.entries(shape).map(([name, attribute]) => [name, map(name, attribute)]));
}

const told = (place: string, expected: Value, found: Value) =>
  `${place}: ${JSON.stringify(expected)}, and is ${JSON.stringify(found)}`;
