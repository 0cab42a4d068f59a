import type { FieldType } from '../../schema/field-type.ts';
import type { TypeRule } from '../contract.ts';

/** How a value's text in MySQL's protocol becomes PostgreSQL's text: see row-text.ts. */
export type Rendering =
  | 'verbatim'
  | 'number'
  | 'float'
  | 'double'
  | 'bits'
  | 'date'
  | 'datetime'
  | 'timestamp'
  | 'time'
  | 'text'
  | 'bytes'
  | 'geometry';

/** A column type of the source, and how it travels. */
export interface ReadType {
  /** The PostgreSQL type that carries it. */
  carrier: string;
  rendering: Rendering;
  field: FieldType;
}

interface Rule extends TypeRule {
  /** Of the column type as information_schema writes it, e.g. `bigint(20) unsigned`. */
  pattern: RegExp;
  rendering: Rendering;
  field: FieldType;
}

const zeroDates =
  'A date that is not in the calendar (`0000-00-00`, `2024-00-15`, `2024-02-31`, year 0) is NULL: `zero_date_nulled`.';
const textRules =
  'Characters that the column’s character set has and Unicode does not, and invalid bytes, are replaced: `invalid_text_replaced`. NUL is left out: `nul_removed`.';

/** The first that matches. `$1` … in `as` are the pattern's groups. */
export const readRules: readonly Rule[] = [
  rule(
    'tinyint, tinyint(1)',
    /^tinyint/,
    'smallint',
    'number',
    'number',
    'A tinyint(1) holds more than 0 and 1.',
  ),
  rule('smallint unsigned', /^smallint.* unsigned/, 'integer', 'number', 'number'),
  rule('smallint', /^smallint/, 'smallint', 'number', 'number'),
  rule('mediumint', /^mediumint/, 'integer', 'number', 'number'),
  rule('int unsigned', /^int.* unsigned/, 'bigint', 'number', 'number'),
  rule('int', /^int/, 'integer', 'number', 'number'),
  rule('bigint unsigned', /^bigint.* unsigned/, 'numeric(20,0)', 'number', 'number'),
  rule('bigint', /^bigint/, 'bigint', 'number', 'number'),
  rule('decimal(p,s)', /^decimal\((\d+),(\d+)\)/, 'numeric($1,$2)', 'number', 'number'),
  rule(
    'float',
    /^float/,
    'real',
    'float',
    'number',
    'The value that is stored, not the six digits that MySQL shows.',
  ),
  rule('double', /^double/, 'double precision', 'double', 'number'),
  rule('year', /^year/, 'smallint', 'number', 'number'),
  rule('bit(n)', /^bit\((\d+)\)/, 'bit($1)', 'bits', 'string'),
  rule('date', /^date$/, 'date', 'date', 'datetime', zeroDates),
  rule('datetime(n)', /^datetime/, 'timestamp without time zone', 'datetime', 'datetime', zeroDates),
  rule('timestamp(n)', /^timestamp/, 'timestamp with time zone', 'timestamp', 'datetime', zeroDates),
  rule(
    'time(n)',
    /^time/,
    'interval',
    'time',
    'string',
    'From -838:59:59 to 838:59:59, which no time of day holds.',
  ),
  rule('char(0), varchar(0)', /^(?:var)?char\(0\)/, 'text', 'text', 'string'),
  rule('char(n), varchar(n)', /^(?:var)?char\((\d+)\)/, 'character varying($1)', 'text', 'string', textRules),
  rule(
    'json',
    /^json/,
    'json',
    'text',
    'object',
    'In MariaDB: longtext that json_valid checks. The text as it is stored.',
  ),
  rule('tinytext … longtext', /^(?:tiny|medium|long)?text/, 'text', 'text', 'string', textRules),
  rule('enum, set', /^(?:enum|set)\(/, 'text', 'text', 'string'),
  rule('binary, varbinary, tinyblob … longblob', /(?:binary|blob)/, 'bytea', 'bytes', 'binary'),
  rule('uuid (MariaDB)', /^uuid/, 'uuid', 'verbatim', 'string'),
  rule('inet4, inet6 (MariaDB)', /^inet/, 'text', 'verbatim', 'string'),
  rule(
    'geometry and its kinds',
    /^(?:geometry|point|linestring|polygon|multi|geom)/,
    'bytea',
    'geometry',
    'binary',
    'EWKB, as PostGIS reads it.',
  ),
  rule('vector', /^vector/, 'bytea', 'bytes', 'binary', 'The floats as they are stored.'),
  rule('any other', /^/, 'text', 'text', 'string'),
];

/** The rules for people: `$1` is what stands in the type's own brackets. */
export const readTypes: readonly TypeRule[] = readRules.map(({ type, as, note }) => {
  const [, brackets = ''] = /(\([a-z,]+\))/.exec(type) ?? [];
  return { type, as: as.replace(/\(\$.*\)/, brackets), ...(note === undefined ? {} : { note }) };
});

/** @param type as information_schema writes it, `json` for MariaDB's checked longtext. */
export function readTypeOf(type: string): ReadType {
  for (const { pattern, as, rendering, field } of readRules) {
    const match = pattern.exec(type);
    if (match === null) continue;
    const carrier = as.replaceAll(/\$(\d)/g, (_, group: string) => match[Number(group)] ?? '');
    return { carrier, rendering, field };
  }
  return { carrier: 'text', rendering: 'text', field: 'string' };
}

function rule(
  type: string,
  pattern: RegExp,
  as: string,
  rendering: Rendering,
  field: FieldType,
  note?: string,
): Rule {
  return { type, pattern, as, rendering, field, ...(note === undefined ? {} : { note }) };
}
