import { limits } from '../../src/limits.ts';
import { sizeKeyword, sizeOf } from '../../src/schema/bounded.ts';

/** What of JSON Schema the shapes of requests use. */
export interface Shape {
  type?: unknown;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Shape[];
  properties?: Record<string, Shape>;
  patternProperties?: Record<string, Shape>;
  items?: Shape;
  required?: string[];
  maxLength?: number;
  maxItems?: number;
  maxProperties?: number;
  minimum?: number;
  maximum?: number;
  format?: string;
  pattern?: string;
  readOnly?: boolean;
  refused?: string;
  noEffect?: string;
  [sizeKeyword]?: number;
}

export interface Filled {
  /** Of the member that is full, and with what. */
  place: string;
  value: unknown;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isRead = ({ readOnly, refused, noEffect }: Shape) => !readOnly && !refused && !noEffect;

const branchesOf = (shape: Shape): Shape[] => shape.anyOf?.flatMap(branchesOf) ?? [shape];

/** Members of which a shape states no maximum. */
export function boundless(shape: Shape, place: string): string[] {
  return branchesOf(shape).flatMap((one): string[] => {
    if (!isRead(one) || one.enum || one.const !== undefined) return [];
    const lacks = (what: unknown) => (what === undefined ? [place] : []);
    if (one.type === 'boolean' || one.type === 'null') return [];
    if (one.type === 'string') return one.format === 'uuid' ? [] : lacks(one.maxLength);
    if (one.type === 'integer' || one.type === 'number')
      return [...lacks(one.minimum), ...lacks(one.maximum)];
    if (one.type === 'array') return [...lacks(one.maxItems), ...boundless(one.items ?? {}, `${place}[]`)];
    if (one.patternProperties) {
      const inner = Object.values(one.patternProperties);
      return one[sizeKeyword] === undefined
        ? [...lacks(one.maxProperties), ...inner.flatMap((value) => boundless(value, `${place}.*`))]
        : [];
    }
    if (one.properties) {
      return Object.entries(one.properties).flatMap(([name, value]) => boundless(value, `${place}.${name}`));
    }
    return lacks(one[sizeKeyword]);
  });
}

/**
 * A body again and again, each time with one of its members at its maximum.
 *
 * @param base a body that is valid. Items of its lists are repeated with what looks numbered counted on (`c1`, `a.k1`).
 */
export function* filled(shape: Shape, base: unknown, place = 'body'): Generator<Filled> {
  for (const one of branchesOf(shape)) {
    if (!isRead(one) || one.enum || one.const !== undefined) continue;
    if (one.type === 'string' && one.format !== 'uuid' && one.pattern === undefined) {
      yield { place, value: 'ü'.repeat(one.maxLength ?? 0) };
    } else if (one.type === 'integer' || one.type === 'number') {
      yield { place: `${place} (most)`, value: one.maximum };
      yield { place: `${place} (least)`, value: one.minimum };
    } else if (one.type === 'array') yield* lists(one, base, place);
    else if (one.patternProperties) {
      const most = one.maxProperties ?? 0;
      const [inner = {}] = Object.values(one.patternProperties);
      const names = Array.from({ length: most }, (_, index) => `c${index}`);
      if (one[sizeKeyword] === undefined) {
        yield { place, value: Object.fromEntries(names.map((name) => [name, least(inner, name)])) };
      }
    } else if (one.properties) {
      for (const [name, inner] of Object.entries(one.properties)) {
        const own = isObject(base) ? base : (least(one, 'c1') as object);
        const before = (own as Record<string, unknown>)[name];
        for (const { place: at, value } of filled(inner, before, `${place}.${name}`)) {
          yield { place: at, value: { ...own, [name]: value } };
        }
      }
    }
    const size = one[sizeKeyword];
    if (size !== undefined)
      yield* opens(size, base, one.type === 'object' || one.patternProperties !== undefined, place);
  }
}

function* lists(shape: Shape, base: unknown, place: string): Generator<Filled> {
  const most = shape.maxItems ?? 0;
  for (const items of branchesOf(shape.items ?? {})) {
    if (!isRead(items)) continue;
    const [own] = Array.isArray(base) ? base : [];
    const kind = isObject(own) === (items.properties !== undefined) ? own : undefined;
    const numbered = kind ?? least(items, 'c1');
    yield { place: `${place}[]`, value: fitting(most, (index) => counted(numbered, index)) };
    const longest = [...filled(items, numbered, '')].reduce<unknown>(
      (widest, { value }) => (sizeOf(value) > sizeOf(widest) ? value : widest),
      numbered,
    );
    yield { place: `${place}[] (large)`, value: fitting(most, (index) => counted(longest, index)) };
    // One item at its maximum.
    for (const inner of filled(items, numbered, `${place}[]`)) yield { ...inner, value: [inner.value] };
  }
}

function* opens(size: number, base: unknown, named: boolean, place: string): Generator<Filled> {
  const known = isObject(base) ? base : {};
  const wrap = (value: unknown) => (named ? { ...known, c1: value } : value);
  const room = size - sizeOf(wrap('')) - 10;
  const numbers = room / 20;
  yield { place: `${place} (text)`, value: wrap('x'.repeat(room)) };
  yield {
    place: `${place} (list)`,
    value: wrap(Array.from({ length: Math.floor(numbers) }, (_, index) => index)),
  };
  yield {
    place: `${place} (texts)`,
    value: wrap(Array.from({ length: room / 26 }, (_, index) => `c${index}`)),
  };
  let deep: unknown = 0;
  for (let level = 0; level < limits.request.depth.most - 12; level++) deep = { c: deep };
  yield { place: `${place} (deep)`, value: wrap(deep) };
  const members = Array.from({ length: named ? limits.open.members.most - 5 : 10_000 }, (_, index) => [
    `c${index}`,
    index,
  ]);
  yield { place: `${place} (members)`, value: { ...known, ...Object.fromEntries(members) } };
  for (const [name, text] of Object.entries(known)) {
    if (typeof text === 'string')
      yield { place: `${place}.${name}`, value: { ...known, [name]: `${text}${' '.repeat(room - 100)}` } };
  }
}

/** As many as a body has room for. */
function fitting(most: number, make: (index: number) => unknown): unknown[] {
  const made: unknown[] = [];
  let bytes = 0;
  let values = 0;
  while (made.length < most) {
    const one = make(made.length);
    const text = JSON.stringify(one);
    bytes += Buffer.byteLength(text) + 1;
    values += text.split(/[,[{]/).length + 1;
    if (bytes > limits.request.body.most - 20_000 || values > limits.request.values.most - 500) break;
    made.push(one);
  }
  return made;
}

const uuid = /^[0-9a-f]{8}-/;

/** @returns the same with every numbered text counted on. */
function counted(value: unknown, index: number): unknown {
  if (typeof value === 'string') {
    if (/^ü+$/.test(value)) return `${index}${value}`.slice(0, value.length);
    return uuid.test(value) ? value : value.replace(/(?<=[a-z])\d+$/i, String(index));
  }
  if (Array.isArray(value)) return value.map((one) => counted(one, index));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, counted(inner, index)]));
}

/** The least that a shape takes. */
function least(shape: Shape, text: string): unknown {
  const [one = {}] = branchesOf(shape);
  if (one.enum) return one.enum[0];
  if (one.const !== undefined) return one.const;
  if (one.format === 'uuid') return '11111111-2222-4333-8444-555555555555';
  if (one.type === 'string') return text.slice(0, one.maxLength);
  if (one.type === 'boolean') return true;
  if (one.type === 'null') return null;
  if (one.type === 'array') return [];
  if (one.type === 'integer' || one.type === 'number') return one.minimum ?? 0;
  if (one.patternProperties) return {};
  if (one.properties === undefined) return text;
  const needed = (one.required ?? []).map((name) => [name, least(one.properties?.[name] ?? {}, text)]);
  return Object.fromEntries(needed);
}
