import type { TypeRule } from '../contract.ts';

/** What happens to a value's text on the way into MySQL: see target-text.ts. */
export type Change = 'none' | 'boolean' | 'finite' | 'number' | 'date' | 'timestamp' | 'timestamptz' | 'hex';

/** How a column is made and filled. */
export interface WriteType {
  /** As MySQL is told, e.g. `decimal(20,4)`. */
  type: string;
  change: Change;
  /** Around the text that was loaded, where that is not the value yet. */
  value?: (text: string) => string;
}

interface Rule extends TypeRule {
  pattern: RegExp;
  change: Change;
  value?: (text: string) => string;
}

const finite = 'NaN and infinity are NULL: `not_finite_nulled`.';
const calendar = 'Infinity, dates BC and after 9999 are NULL: `date_out_of_range_nulled`.';

/** The first that matches. */
const rules: readonly Rule[] = [
  rule('boolean', /^boolean$/, 'tinyint(1)', 'boolean'),
  rule('smallint', /^smallint$/, 'smallint', 'none'),
  rule('integer', /^integer$/, 'int', 'none'),
  rule('bigint', /^bigint$/, 'bigint', 'none'),
  rule('oid', /^oid$/, 'int unsigned', 'none'),
  rule(
    'numeric(p,s) up to 65 digits, 30 of them behind the point',
    /^numeric\((\d+),(\d+)\)$/,
    'decimal($1,$2)',
    'finite',
    finite,
  ),
  rule('numeric with more digits', /^numeric\(/, 'longtext', 'none', 'Its digits as text.'),
  rule(
    'numeric',
    /^numeric$/,
    'decimal(65,30)',
    'number',
    'A value of more than 35 digits before the point or 30 behind it is NULL: `number_out_of_range_nulled`. NaN and infinity are NULL: `not_finite_nulled`.',
  ),
  rule('real', /^real$/, 'double', 'finite', `Not float: that shows six digits. ${finite}`),
  rule('double precision', /^double precision$/, 'double', 'finite', finite),
  rule('date', /^date$/, 'date', 'date', calendar),
  rule('timestamp', /^timestamp(\(\d\))? without time zone$/, 'datetime(6)', 'timestamp', calendar),
  rule(
    'timestamptz',
    /^timestamp(\(\d\))? with time zone$/,
    'datetime(6)',
    'timestamptz',
    `In UTC. ${calendar}`,
  ),
  rule('time', /^time(\(\d\))? without time zone$/, 'time(6)', 'none'),
  rule('bytea', /^bytea$/, 'longblob', 'hex', undefined, (text) => `unhex(${text})`),
  rule(
    'bit(n) up to 64',
    /^bit\((\d|[1-5]\d|6[0-4])\)$/,
    'bit($1)',
    'none',
    undefined,
    (text) => `cast(conv(${text}, 2, 10) as unsigned)`,
  ),
  rule('uuid', /^uuid$/, 'char(36)', 'none'),
  rule(
    'varchar(n) up to 255',
    /^character varying\((\d{1,2}|1\d\d|2[0-4]\d|25[0-5])\)$/,
    'varchar($1)',
    'none',
  ),
  rule(
    'character(n)',
    /^character\(\d+\)$/,
    'longtext',
    'none',
    'The spaces that PostgreSQL pads it with are part of its text, and stay.',
  ),
  rule(
    'any other',
    /^/,
    'longtext',
    'none',
    'Its text: json, arrays, ranges, intervals, addresses, enums and whatever else there is.',
  ),
];

export const writeTypes: readonly TypeRule[] = rules.map(({ type, as, note }) => ({
  type,
  as: as.replace('$1,$2', 'p,s').replace('$1', 'n'),
  ...(note === undefined ? {} : { note }),
}));

/** @param type the PostgreSQL type that carries the column. */
export function writeTypeOf(type: string): WriteType {
  for (const { pattern, as, change, value } of rules) {
    const match = pattern.exec(type);
    if (match === null || !fits(match)) continue;
    const name = as.replaceAll(/\$(\d)/g, (_, group: string) => match[Number(group)] ?? '');
    return { type: name, change, ...(value === undefined ? {} : { value }) };
  }
  return { type: 'longtext', change: 'none' };
}

/** MySQL's decimals have 65 digits at most, 30 behind the point and none of them before it. */
function fits([type, precision, scale]: RegExpExecArray): boolean {
  if (!type.startsWith('numeric(') || scale === undefined) return true;
  return Number(precision) <= 65 && Number(scale) <= 30 && Number(scale) <= Number(precision);
}

function rule(
  type: string,
  pattern: RegExp,
  as: string,
  change: Change,
  note?: string,
  value?: (text: string) => string,
): Rule {
  return {
    ...{ type, pattern, as, change },
    ...(note === undefined ? {} : { note }),
    ...(value === undefined ? {} : { value }),
  };
}
