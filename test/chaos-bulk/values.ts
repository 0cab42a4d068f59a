import type { Dice } from './dice.ts';

/** Types of the source's columns, and SQL for a value of each. */
const kinds: Record<string, (dice: Dice) => string> = {
  integer: (dice) => String(dice.below(2_000_000) - 1_000_000),
  bigint: (dice) => dice.pick(['9223372036854775807', '-9223372036854775808', '0', String(dice.below(1e9))]),
  'numeric(20,4)': (dice) => `${dice.below(1e6)}.${dice.below(10_000)}`,
  'double precision': (dice) => dice.pick(['0.1', '0.3::float8 * 3', '1e300', String(dice.below(1000) / 8)]),
  boolean: (dice) => dice.pick(['true', 'false']),
  text: (dice) => dice.pick(texts)(dice),
  'varchar(40)': (dice) => `'v${dice.below(1e6)}'`,
  date: (dice) => `date '2001-02-03' + ${dice.below(20_000)}`,
  'timestamp(6)': (dice) => `timestamp '2003-04-05 06:07:08.901234' + ${dice.below(1e6)} * interval '61 s'`,
  timestamptz: (dice) => `timestamptz '2003-04-05 06:07:08.9+00' + ${dice.below(1e6)} * interval '61 s'`,
  bytea: (dice) => `decode('${dice.pick(['', '00ff5c', 'deadbeef', '616263'])}', 'hex')`,
  uuid: (dice) => `md5('${dice.below(1000)}')::uuid`,
  interval: (dice) => `interval '1 mon 2 days 03:04:05.5' * ${dice.below(9)}`,
  jsonb: (dice) => `'{"a": [${dice.below(99)}, null, "x\\ny"]}'`,
};

const texts: ((dice: Dice) => string)[] = [
  (dice) => `'t${dice.below(1e6)}'`,
  () => `''`,
  () => `E'tab\\tline\\nback\\\\slash'`,
  () => `'Zoë 🌊 \\N'`,
  (dice) => `repeat('long ', ${dice.below(4000)})`,
];

/** What every destination holds, and reads back as the text it was. */
const plain = ['integer', 'bigint', 'numeric(20,4)', 'text', 'varchar(40)', 'date', 'timestamp(6)'];

export function typesFor(everything: boolean): string[] {
  return everything ? Object.keys(kinds) : plain;
}

export function valueSql(type: string, dice: Dice): string {
  if (dice.chance(0.1)) return 'null';
  return `(${(kinds[type] ?? kinds.text)?.(dice) ?? 'null'})::${type}`;
}
