// The numbers alone: all of it would load DuckDB into every process that knows connectors, 16 MB of memory in each.
import { DuckDBTypeId as Id } from '@duckdb/node-api/lib/DuckDBTypeId.js';
import { identifier, literal } from './names.ts';
import type { DuckType } from './protocol.ts';

/** How values of a DuckDB type become PostgreSQL's text. */
export interface Rendering {
  /** The PostgreSQL type that carries them. */
  carrier: string;
  /** SQL for the text of an expression; NULL stays NULL. */
  text(expression: string): string;
  /** The text cannot contain what COPY escapes. */
  plain: boolean;
  /** What a mark in the text means. */
  rule?: string;
}

const cast = (x: string) => `${x}::varchar`;
const macro = (name: string) => (x: string) => `${name}(${x})`;
const plain = (carrier: string, text: (x: string) => string = cast, rule?: string): Rendering => ({
  carrier,
  text,
  plain: true,
  ...(rule === undefined ? {} : { rule }),
});

export const nulRemoved = 'nul_removed';
const outOfRange = 'out_of_range_nulled';
const nanoseconds = 'nanoseconds_dropped';

const text: Rendering = { carrier: 'text', text: cast, plain: false, rule: nulRemoved };

const scalars = new Map<number, Rendering>([
  [Id.BOOLEAN, plain('boolean', (x) => `case ${x} when true then 't' when false then 'f' end`)],
  [Id.TINYINT, plain('smallint')],
  [Id.UTINYINT, plain('smallint')],
  [Id.SMALLINT, plain('smallint')],
  [Id.USMALLINT, plain('integer')],
  [Id.INTEGER, plain('integer')],
  [Id.UINTEGER, plain('bigint')],
  [Id.BIGINT, plain('bigint')],
  [Id.UBIGINT, plain('numeric(20,0)')],
  [Id.HUGEINT, plain('numeric(39,0)')],
  [Id.UHUGEINT, plain('numeric(39,0)')],
  [Id.BIGNUM, plain('numeric')],
  [Id.FLOAT, plain('real', macro('tm_real'))],
  [Id.DOUBLE, plain('double precision', macro('tm_double'))],
  [Id.DATE, plain('date', macro('tm_date'), outOfRange)],
  [Id.TIME, plain('time without time zone')],
  [Id.TIME_NS, plain('time without time zone', macro('tm_time_ns'), nanoseconds)],
  [Id.TIME_TZ, plain('time with time zone')],
  [Id.TIMESTAMP, plain('timestamp without time zone', (x) => `tm_timestamp(${x}, '')`, outOfRange)],
  [Id.TIMESTAMP_S, plain('timestamp without time zone', macro('tm_timestamp_wide'), outOfRange)],
  [Id.TIMESTAMP_MS, plain('timestamp without time zone', macro('tm_timestamp_wide'), outOfRange)],
  [Id.TIMESTAMP_NS, plain('timestamp without time zone', macro('tm_timestamp_ns'), nanoseconds)],
  [Id.TIMESTAMP_TZ, plain('timestamp with time zone', macro('tm_timestamptz'), outOfRange)],
  [Id.INTERVAL, plain('interval', macro('tm_interval'))],
  [Id.UUID, plain('uuid')],
  [Id.BIT, plain('bit varying')],
  [Id.BLOB, { carrier: 'bytea', text: (x) => String.raw`'\x' || lower(hex(${x}))`, plain: false }],
]);

const nested = new Set<number>([Id.LIST, Id.ARRAY, Id.STRUCT, Id.MAP, Id.UNION]);

/**
 * Lists of plain values are arrays. Lists of lists are json: PostgreSQL's arrays must be rectangular. What
 * DuckDB alone has (enums, variants, geometries) travels as its text.
 */
export function rendering(type: DuckType): Rendering {
  const scalar = scalars.get(type.typeId);
  if (scalar !== undefined) return scalar;
  if (type.typeId === Id.DECIMAL) return decimal(type);
  if (type.alias === 'JSON') return { ...text, carrier: 'json' };
  const element = type.valueType;
  const isList = type.typeId === Id.LIST || type.typeId === Id.ARRAY;
  if (isList && element !== undefined && !nested.has(element.typeId)) return array(rendering(element));
  if (nested.has(type.typeId)) {
    return { carrier: 'json', text: (x) => `if(${x} is null, null, ${json(type)(x)})`, plain: false };
  }
  return text;
}

/** The same for a type by its name in the driver, e.g. `TIMESTAMP_TZ`. */
export function readRendering(name: string): Rendering {
  return rendering({ typeId: Id[name as keyof typeof Id] });
}

function decimal({ width = 18, scale = 3 }: DuckType): Rendering {
  return plain(`numeric(${width},${scale})`, width === scale && scale > 0 ? macro('tm_fraction') : cast);
}

function array(element: Rendering): Rendering {
  const quoted = element.plain ? 'tm_plain_element' : 'tm_element';
  const elements = (x: string) => `list_transform(${x}, lambda e: ${quoted}(${element.text('e')}))`;
  return {
    carrier: `${element.carrier}[]`,
    text: (x) => `'{' || array_to_string(${elements(x)}, ',') || '}'`,
    plain: element.plain,
    ...(element.rule === undefined ? {} : { rule: element.rule }),
  };
}

/** Never NULL: JSON has a null of its own. `depth` keeps the names of nested lambdas apart. */
function jsonOf(type: DuckType, x: string, depth: number): string {
  const value = `v${depth}`;
  const join = (list: string) => `array_to_string(${list}, ',')`;
  const each = (of: DuckType, list: string) =>
    `list_transform(${list}, lambda ${value}: ${jsonOf(of, value, depth + 1)})`;
  const object = (entries: string[]) => `'{' || ${entries.join(` || ',' || `) || "''"} || '}'`;
  const orNull = (json: string) => `if(${x} is null, 'null', ${json})`;
  switch (type.typeId) {
    case Id.LIST:
    case Id.ARRAY:
      return orNull(`'[' || ${join(each(type.valueType ?? type, x))} || ']'`);
    case Id.STRUCT: {
      const entries = (type.entryTypes ?? []).map((entry, index) => {
        const name = type.entryNames?.[index] ?? '';
        const field =
          name === '' ? `struct_extract_at(${x}, ${index + 1})` : `struct_extract(${x}, ${literal(name)})`;
        return `${literal(`${JSON.stringify(name)}:`)} || ${jsonOf(entry, field, depth)}`;
      });
      return orNull(object(entries));
    }
    case Id.MAP: {
      // `v0.key` would be the member of a column v0, where there is one.
      const part = (name: string) => `struct_extract(${value}, ${literal(name)})`;
      const key = rendering(type.keyType ?? type).text(part('key'));
      const entry = `tm_json_text(${key}) || ':' || ${jsonOf(type.valueType ?? type, part('value'), depth + 1)}`;
      return orNull(`'{' || ${join(`list_transform(map_entries(${x}), lambda ${value}: ${entry})`)} || '}'`);
    }
    case Id.UNION: {
      const cases = (type.memberTypes ?? []).map((member, index) => {
        const tag = type.memberTags?.[index] ?? '';
        const json = jsonOf(member, `union_extract(${x}, ${literal(tag)})`, depth);
        return `when ${literal(tag)} then ${object([`${literal(`${JSON.stringify(tag)}:`)} || ${json}`])}`;
      });
      return orNull(`case union_tag(${x})::varchar ${cases.join(' ')} end`);
    }
    default:
      return jsonScalar(type, x);
  }
}

/** Numbers keep their digits, which DuckDB's own to_json rounds to a double's. */
function jsonScalar(type: DuckType, x: string): string {
  const { carrier, text, rule } = rendering(type);
  if (type.alias === 'JSON') return `coalesce(${x}::varchar, 'null')`;
  if (type.typeId === Id.BOOLEAN) return `coalesce(${x}::varchar, 'null')`;
  if (type.typeId === Id.FLOAT || type.typeId === Id.DOUBLE) {
    return `if(isfinite(${x}), ${text(x)}, tm_json_text(${text(x)}))`;
  }
  if (/^(smallint|integer|bigint|numeric)/.test(carrier)) return `coalesce(${text(x)}, 'null')`;
  // As a string, a time may lie where PostgreSQL's do not reach, and keep its nanoseconds.
  return `tm_json_text(${rule === undefined ? text(x) : cast(x)})`;
}

/** SQL for an expression's JSON, exact to the digit; never NULL. */
export function json(type: DuckType): (expression: string) => string {
  return (x) => jsonOf(type, x, 0);
}

/** A column of a SELECT, and how it is read. */
export interface ReadColumn extends Rendering {
  name: string;
  /** DuckDB's own name of the type. */
  typeName: string;
  /** SQL for the JSON of an expression, exact to the digit. */
  json(expression: string): string;
}

/** Beyond them a statement is planned for longer than a few rows take, and the shorter way to escape is quicker. */
const manyColumns = 100;

/** SQL for one line of COPY text, without its end. `salt`: the names of columns whose digest is given. */
export function copyLine(columns: readonly ReadColumn[], digests: ReadonlyMap<string, string>): string {
  const escaping = columns.length > manyColumns ? 'tm_escape_plainly' : 'tm_escape';
  const fields = columns.map((column) => {
    const value = column.text(identifier(column.name));
    const salt = digests.get(column.name);
    if (salt !== undefined) return `coalesce(sha256(${literal(salt)} || ${value}), '\\N')`;
    return `coalesce(${column.plain ? value : `${escaping}(${value})`}, '\\N')`;
  });
  return `concat(${fields.join(', chr(9), ')})`;
}
