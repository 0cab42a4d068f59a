import type { Meaning } from './canonical.ts';
import type { Dice } from './dice.ts';

interface Type {
  meaning: Meaning;
  value: (dice: Dice) => string;
  /** What its values are read as, `?` being the column; default: `cast(? as char)`. */
  read?: string;
  /** What docs/types.md says of a value that no destination holds. */
  arrives?: (text: string) => string | null;
}

const texts: ((dice: Dice) => string)[] = [
  (dice) => `'t${dice.below(1e6)}'`,
  () => `''`,
  () => `'tab\\tline\\nback\\\\slash\\r'`,
  () => `'Zoë'`,
  () => `' NULL '`,
  () => `'\\\\N'`,
  (dice) => `repeat('long ', ${dice.below(2000)})`,
];
const emoji = () => `'Zoë 🌊'`;
const unicode = [...texts, emoji];

const text = (values: ((dice: Dice) => string)[]): Type => ({
  meaning: 'text',
  value: (dice) => dice.pick(values)(dice),
  read: 'cast(convert(? using utf8mb4) as char)',
  arrives: (value) => value.replaceAll('\0', ''),
});
const number = (value: Type['value']): Type => ({ meaning: 'number', value });
const bytes = (value: Type['value'], read = 'hex(?)'): Type => ({ meaning: 'bytes', value, read });

/** NULL for what is in no calendar. */
function day(value: string): string | null {
  const [, year = 0, month = 0, date = 0] = /^(\d+)-(\d+)-(\d+)/.exec(value)?.map(Number) ?? [];
  const made = new Date(Date.UTC(2000, 0, 1));
  made.setUTCFullYear(year, month - 1, date);
  return year > 0 && made.getUTCMonth() === month - 1 && made.getUTCDate() === date ? value : null;
}

const dates = [
  '0000-00-00',
  '2024-00-15',
  '2024-02-31',
  '0001-01-01',
  '9999-12-31',
  '2024-02-29',
  '2023-02-29',
];

const oneOf = `enum('', 'a,b', 'it''s', 'Zoë') character set utf8mb4`;
const someOf = `set('x', 'y z', 'ö') character set utf8mb4`;

const types: Record<string, Type> = {
  'tinyint(1)': number((dice) => String(dice.below(256) - 128)),
  'smallint unsigned': number((dice) => String(dice.below(65_536))),
  'mediumint(8) unsigned zerofill': {
    ...number((dice) => String(dice.below(16_777_216))),
    arrives: (value) => value.replace(/^0+(?=\d)/, ''),
  },
  int: number((dice) => String(dice.below(2_000_000) - 1_000_000)),
  'bigint unsigned': number((dice) => dice.pick(['18446744073709551615', '0', String(dice.below(1e9))])),
  bigint: number((dice) => dice.pick(['-9223372036854775808', String(dice.below(1e9))])),
  'decimal(30,10)': number((dice) =>
    dice.pick(['-0.0000000001', '12345678901234567890.5', String(dice.below(99))]),
  ),
  float: {
    meaning: 'real',
    value: (dice) => dice.pick(['0.1', '16777217', '1e-30', '3.4028234e38', String(dice.below(1000) / 7)]),
    read: 'cast(? * 1e0 as char)',
  },
  'double(10,3)': {
    meaning: 'double',
    value: (dice) => `${dice.below(1000)}.125`,
    read: 'cast(? * 1e0 as char)',
  },
  double: {
    meaning: 'double',
    value: (dice) => dice.pick(['0.1', '1e300', '1e-10', '123456789012345678', String(dice.below(1000) / 7)]),
    read: 'cast(? * 1e0 as char)',
  },
  year: {
    ...number((dice) => dice.pick(['0', '1901', '2155'])),
    arrives: (value) => value.replace(/^0+(?=\d)/, ''),
  },
  'bit(1)': {
    meaning: 'text',
    value: (dice) => dice.pick([`b'0'`, `b'1'`]),
    read: `lpad(bin(? + 0), 1, '0')`,
  },
  'bit(13)': {
    meaning: 'text',
    value: (dice) => String(dice.below(8192)),
    read: `lpad(bin(? + 0), 13, '0')`,
  },
  date: { meaning: 'date', value: (dice) => `'${dice.pick(dates)}'`, arrives: day },
  datetime: { meaning: 'moment', value: (dice) => `'${dice.pick(dates)} 01:02:03'`, arrives: day },
  'datetime(6)': {
    meaning: 'moment',
    value: (dice) => `'${dice.pick(dates)} 01:02:03.000405'`,
    arrives: day,
  },
  'timestamp(3) null': {
    meaning: 'moment',
    value: (dice) =>
      dice.pick([`'0000-00-00'`, `'2038-01-19 03:14:07.999'`, `'20${10 + dice.below(20)}-03-31 02:30:00.5'`]),
    arrives: day,
  },
  'time(6)': {
    meaning: 'interval',
    value: (dice) =>
      dice.pick([`'-838:59:59'`, `'838:59:59'`, `'-00:00:00.000001'`, `'${dice.below(24)}:01:02.5'`]),
  },
  'char(10)': {
    ...text([...texts.slice(0, 2), () => `'pad  '`]),
    read: 'cast(convert(? using utf8mb4) as char)',
  },
  'varchar(40) character set latin1': text([...texts.slice(0, 5), () => `'€Zoë ×'`]),
  'varchar(40) character set ucs2': text(texts.slice(0, 5)),
  'varchar(40) character set utf8mb3 collate utf8mb3_bin': text(texts.slice(0, 5)),
  'text character set utf8mb4 collate utf8mb4_german2_ci': text(unicode),
  'longtext character set utf8mb4': text([...unicode, () => `concat('a', char(0), 'b')`]),
  'text character set latin2': text(texts.slice(0, 5)),
  json: {
    meaning: 'text',
    value: (dice) => `'{"a":  [${dice.below(9)}, "\\\\u00e4", 1.50]}'`,
    read: 'cast(convert(? using utf8mb4) as char)',
  },
  [oneOf]: {
    meaning: 'text',
    value: (dice) => dice.pick([`''`, `'a,b'`, `'it''s'`, `'Zoë'`]),
  },
  [someOf]: {
    meaning: 'text',
    value: (dice) => dice.pick([`''`, `'x'`, `'y z,x'`, `'ö,x'`]),
  },
  'binary(4)': bytes((dice) => dice.pick([`x'00'`, `x'ff5c0a09'`])),
  'varbinary(20)': bytes((dice) => dice.pick([`''`, `x'005c4e'`, `'plain'`])),
  blob: bytes((dice) => dice.pick([`x'00ff0a5c'`, `repeat(x'00', ${dice.below(3000)})`])),
  uuid: { meaning: 'text', value: (dice) => `'00112233-4455-6677-8899-aabbccddee${10 + dice.below(90)}'` },
  inet6: {
    meaning: 'text',
    value: (dice) => dice.pick([`'::1'`, `'2001:db8::ff00:42:8329'`, `'::ffff:10.0.0.1'`]),
  },
  point: bytes((dice) => `point(${dice.below(90)}, -1.5)`, 'hex(st_aswkb(?))'),
};

export const typeNames = Object.keys(types);

const typeOf = (name: string): Type => types[name] ?? (types['longtext character set utf8mb4'] as Type);

export const meaningOf = (type: string): Meaning => typeOf(type).meaning;

/** @param name quoted. */
export const readSql = (type: string, name: string): string =>
  (typeOf(type).read ?? 'cast(? as char)').replace('?', name);

export const arrives = (type: string, text: string): string | null =>
  typeOf(type).arrives?.(text) ?? (typeOf(type).arrives === undefined ? text : null);

export function valueSql(type: string, dice: Dice): string {
  return dice.chance(0.1) ? 'null' : typeOf(type).value(dice);
}
