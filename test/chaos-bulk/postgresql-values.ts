import type { Meaning } from './canonical.ts';
import type { Dice } from './dice.ts';

interface Type {
  meaning: Meaning;
  /** SQL for a value. */
  value: (dice: Dice) => string;
  /** What its values are read as, `?` being the column; default: their text. */
  read?: string;
}

const types: Record<string, Type> = {
  smallint: { meaning: 'number', value: (dice) => String(dice.below(65_536) - 32_768) },
  integer: { meaning: 'number', value: (dice) => String(dice.below(2_000_000) - 1_000_000) },
  bigint: {
    meaning: 'number',
    value: (dice) => dice.pick(['9223372036854775807', '-9223372036854775808', '0', String(dice.below(1e9))]),
  },
  'numeric(20,4)': {
    meaning: 'number',
    value: (dice) => dice.pick([`'NaN'`, '0.0001', `${dice.below(1e6)}.${dice.below(10_000)}`]),
  },
  numeric: {
    meaning: 'number',
    value: (dice) =>
      dice.pick(['1e-20', '12345678901234567890.5', `-${dice.below(1e6)}.${dice.below(1000)}`]),
  },
  real: {
    meaning: 'real',
    value: (dice) => dice.pick(['0.1', '16777217', '1e-30', String(dice.below(1000) / 8)]),
  },
  'double precision': {
    meaning: 'double',
    value: (dice) =>
      dice.pick(['0.1', '0.3::float8 * 3', '1e300', `'Infinity'`, String(dice.below(1000) / 8)]),
  },
  boolean: { meaning: 'boolean', value: (dice) => dice.pick(['true', 'false']) },
  text: { meaning: 'text', value: (dice) => dice.pick(texts)(dice) },
  'varchar(40)': { meaning: 'text', value: (dice) => `'v${dice.below(1e6)} '` },
  'char(5)': { meaning: 'text', value: (dice) => dice.pick([`'a'`, `''`, `'äöüß'`]) },
  date: {
    meaning: 'date',
    value: (dice) => dice.pick([`'0044-03-15 BC'`, `date '2001-02-03' + ${dice.below(20_000)}`]),
  },
  'timestamp(6)': {
    meaning: 'moment',
    value: (dice) =>
      dice.pick([
        `'9999-12-31 23:59:59.999999'`,
        `timestamp '2003-04-05 06:07:08.901234' + ${dice.below(1e6)} * interval '61 s'`,
      ]),
  },
  timestamptz: {
    meaning: 'moment',
    value: (dice) => `timestamptz '2003-04-05 06:07:08.9+00' + ${dice.below(1e6)} * interval '61 s'`,
  },
  time: { meaning: 'time', value: (dice) => `time '00:00' + ${dice.below(86_400)} * interval '1.000001 s'` },
  timetz: { meaning: 'text', value: (dice) => `'0${dice.below(10)}:01:02.5+05:30'` },
  bytea: {
    meaning: 'bytes',
    value: (dice) => `decode('${dice.pick(['', '00ff5c', 'deadbeef', '616263'])}', 'hex')`,
  },
  uuid: { meaning: 'text', value: (dice) => `md5('${dice.below(1000)}')::uuid` },
  interval: {
    meaning: 'interval',
    value: (dice) => `interval '1 mon -2 days 03:04:05.5' * ${dice.below(9)}`,
  },
  jsonb: { meaning: 'text', value: (dice) => `'{"a": [${dice.below(99)}, null, "x\\ny", 1.50]}'` },
  json: { meaning: 'text', value: (dice) => `'{"a":  [${dice.below(99)}], "a": "\\u00e4"}'` },
  'bit(5)': { meaning: 'text', value: (dice) => `B'${(32 + dice.below(32)).toString(2).slice(1)}'` },
  inet: { meaning: 'text', value: (dice) => `'10.0.${dice.below(256)}.7/24'` },
  'integer[]': { meaning: 'array', value: (dice) => `'{${dice.below(100)},NULL,-1}'` },
  'text[]': {
    meaning: 'array',
    value: (dice) => `array['a,b', 'NULL', null, '', 'q"uo\\te', '${dice.below(100)}']`,
  },
  int4range: { meaning: 'text', value: (dice) => `'[${dice.below(100)},200)'` },
  money: { meaning: 'number', value: (dice) => `'${dice.below(100_000)}.25'`, read: '?::numeric::text' },
  mood: { meaning: 'text', value: (dice) => dice.pick([`'sad'`, `'ok, "fine"'`]) },
};

const texts: ((dice: Dice) => string)[] = [
  (dice) => `'t${dice.below(1e6)}'`,
  () => `''`,
  () => `E'tab\\tline\\nback\\\\slash\\r'`,
  () => `'Zoë 🌊 \\N'`,
  () => `' NULL '`,
  (dice) => `repeat('long ', ${dice.below(4000)})`,
];

/** To be made before them. */
export const ownTypes = `create type mood as enum ('sad', 'ok, "fine"')`;
export const typeNames = Object.keys(types);

export function meaningOf(type: string): Meaning {
  return types[type]?.meaning ?? 'text';
}

/** @param name quoted. */
export function readSql(type: string, name: string): string {
  // A cast would take away what a char is padded with.
  return (types[type]?.read ?? `case when ? is not null then format('%s', ?) end`).replaceAll('?', name);
}

export function valueSql(type: string, dice: Dice): string {
  if (dice.chance(0.1)) return 'null';
  const { value } = types[type] ?? (types.text as Type);
  return `(${value(dice)})::${type}`;
}
