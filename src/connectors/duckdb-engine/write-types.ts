/** How a PostgreSQL type is kept in DuckDB. */
export interface Storage {
  type: string;
  /** SQL for the value of a text in PostgreSQL's form; NULL stays NULL. Fails for what `type` cannot hold. */
  value(text: string): string;
  /** The text has no character that COPY escapes, or `value` does not mind. */
  plain: boolean;
  /** Under this rule what `type` cannot hold becomes NULL; without one it fails the load. */
  nulled?: string;
  /** Texts of which a part is lost, and the rule; `value` fails for them, `rest` gives what is left. */
  reduced?: { rule: string; when(text: string): string; rest(text: string): string };
}

const cast = (type: string) => (text: string) => `cast(${text} as ${type})`;
const macro = (name: string) => (text: string) => `${name}(${text})`;
const plain = (type: string, value = cast(type), nulled?: string): Storage => ({
  type,
  value,
  plain: true,
  ...(nulled === undefined ? {} : { nulled }),
});

const outOfRange = 'out_of_range_nulled';
const text: Storage = { type: 'VARCHAR', value: (x) => x, plain: false };
const json: Storage = { type: 'JSON', value: cast('JSON'), plain: false, nulled: 'json_nulled' };

/** Widest DECIMAL of DuckDB. */
const mostDigits = 38;

/** By the names that PostgreSQL's format_type gives, without modifiers, and the short ones. */
const storages = new Map<string, Storage>([
  ['boolean', plain('BOOLEAN')],
  ['smallint', plain('SMALLINT')],
  ['integer', plain('INTEGER')],
  ['bigint', plain('BIGINT')],
  ['oid', plain('UINTEGER')],
  ['real', plain('FLOAT')],
  ['double precision', plain('DOUBLE')],
  ['date', plain('DATE', macro('tm_to_date'), outOfRange)],
  ['time', plain('TIME')],
  ['time without time zone', plain('TIME')],
  ['time with time zone', plain('TIMETZ')],
  ['timestamp', plain('TIMESTAMP', macro('tm_to_timestamp'), outOfRange)],
  ['timestamp without time zone', plain('TIMESTAMP', macro('tm_to_timestamp'), outOfRange)],
  ['timestamptz', plain('TIMESTAMPTZ', macro('tm_to_timestamptz'), outOfRange)],
  ['timestamp with time zone', plain('TIMESTAMPTZ', macro('tm_to_timestamptz'), outOfRange)],
  ['interval', plain('INTERVAL', macro('tm_to_interval'), outOfRange)],
  ['uuid', plain('UUID')],
  ['bit', plain('BIT', cast('BIT'), 'empty_bits_nulled')],
  ['bit varying', plain('BIT', cast('BIT'), 'empty_bits_nulled')],
  ['bytea', plain('BLOB', macro('tm_to_blob'))],
  ['json', json],
  ['jsonb', json],
  ['text', text],
  ['character varying', text],
  ['character', text],
  ['name', text],
]);

/**
 * DuckDB has a type for most; the others (numeric beyond 38 digits, money, inet, ranges, …) are kept as their
 * text, which is exact.
 *
 * @param carrier as in `BulkColumn.type`, e.g. `numeric(20,4)` or `timestamp(3) without time zone`.
 */
export function storage(carrier: string): Storage {
  if (carrier.endsWith('[]')) return array(storage(carrier.slice(0, -2)), carrier.slice(0, -2));
  const [, precision, scale] = /^numeric\((\d+),(-?\d+)\)$/.exec(carrier) ?? [];
  if (precision !== undefined) return decimal(Number(precision), Number(scale));
  return storages.get(carrier.replace(/\s*\([^)]*\)/, '')) ?? text;
}

/** PostgreSQL's scale may be below zero, or above the precision. */
function decimal(precision: number, scale: number): Storage {
  const places = Math.max(scale, 0);
  const width = Math.max(precision, scale, precision - scale);
  if (width > mostDigits) return text;
  const type = `DECIMAL(${width},${places})`;
  return plain(type, width > 18 ? (x) => wideDecimal(x, type, places) : cast(type), 'nan_nulled');
}

/**
 * DuckDB takes 20 µs to read a decimal of more than 18 digits from text. Its whole digits as an integer and its
 * fraction as a shorter decimal take 0.3.
 */
function wideDecimal(x: string, type: string, places: number): string {
  const whole = `cast(cast(split_part(${x}, '.', 1) as HUGEINT) as ${type})`;
  if (places === 0) return whole;
  const fraction = `cast('0.' || split_part(${x}, '.', 2) as DECIMAL(${Math.max(18, places)},${places}))`;
  return `cast(if(starts_with(${x}, '-'), ${whole} - ${fraction}, ${whole} + ${fraction}) as ${type})`;
}

/**
 * A list has one dimension and begins at 1. What else an array can be: its bounds are dropped, and an array of
 * several dimensions is NULL. Arrays of what is kept as text stay text as a whole, save those of strings.
 */
function array(element: Storage, elementType: string): Storage {
  const isText = element === text && !/^(text|name|character)/.test(elementType);
  if (isText || element.type.endsWith('[]')) return text;
  const type = `${element.type}[]`;
  const list = (x: string) => `list_transform(tm_elements(${x}), lambda v: ${element.value('v')})`;
  const bounded = (x: string) => `starts_with(${x}, '[')`;
  return {
    type,
    // The cast fails: it is there for that.
    value: (x) => `if(${bounded(x)} or starts_with(${x}, '{{'), cast(${x} as ${type}), ${list(x)})`,
    plain: false,
    nulled: 'array_nulled',
    reduced: {
      rule: 'array_bounds_dropped',
      when: (x) => `${bounded(x)} and not contains(${x}, '={{')`,
      rest: list,
    },
  };
}
