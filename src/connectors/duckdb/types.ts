import type { TypeRule } from '../contract.ts';
import { readRendering, storage } from '../duckdb-engine/index.ts';

const outOfRange = (whose: string) => `What ${whose} type does not reach is NULL: \`out_of_range_nulled\`.`;

const notes: Record<string, string> = {
  nul_removed: 'NUL characters are left out: `nul_removed`.',
  nanoseconds_dropped: 'What is finer than a microsecond is cut off: `nanoseconds_dropped`.',
  nan_nulled: 'NaN is NULL: `nan_nulled`.',
  empty_bits_nulled: 'No bits at all are NULL: `empty_bits_nulled`.',
  json_nulled: 'JSON with half a surrogate pair is NULL: `json_nulled`.',
  array_nulled:
    'An array of several dimensions, or with an element that the type cannot hold, is NULL: `array_nulled`. Bounds other than 1 are dropped: `array_bounds_dropped`.',
};

export const readRules: readonly TypeRule[] = [
  ...[
    ...[
      'BOOLEAN',
      'TINYINT',
      'UTINYINT',
      'SMALLINT',
      'USMALLINT',
      'INTEGER',
      'UINTEGER',
      'BIGINT',
      'UBIGINT',
    ],
    ...['HUGEINT', 'UHUGEINT', 'BIGNUM', 'FLOAT', 'DOUBLE', 'DATE', 'TIME', 'TIME_NS', 'TIMESTAMP'],
    ...['TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS', 'INTERVAL', 'UUID', 'BIT', 'BLOB', 'VARCHAR', 'ENUM'],
  ].map((type) => readRule(type, type)),
  readRule('TIME WITH TIME ZONE', 'TIME_TZ'),
  readRule('TIMESTAMP WITH TIME ZONE', 'TIMESTAMP_TZ'),
  { type: 'DECIMAL(p,s)', as: 'numeric(p,s)' },
  { type: 'JSON', as: 'json' },
  { type: 'T[], T[n]', as: 'an array of what carries T', note: notes.nul_removed },
  {
    type: 'STRUCT, MAP, UNION, lists of lists',
    as: 'json',
    note: 'Numbers keep every digit. PostgreSQL’s arrays would have to be rectangular.',
  },
  { type: 'VARIANT, GEOMETRY', as: 'text' },
];

export const writtenRules: readonly TypeRule[] = [
  ...['boolean', 'smallint', 'integer', 'bigint', 'oid', 'real', 'double precision'].map(writtenRule),
  { type: 'numeric(p,s), p up to 38', as: 'DECIMAL(p,s)', note: notes.nan_nulled },
  {
    type: 'numeric, or with more digits',
    as: 'VARCHAR',
    note: 'DuckDB has no decimal that holds every value: the text does.',
  },
  ...['text', 'character varying'].map(writtenRule),
  {
    type: 'character(n)',
    as: 'VARCHAR',
    note: 'The spaces that PostgreSQL pads it with are part of its text, and stay.',
  },
  ...['bytea', 'bit varying', 'date'].map(writtenRule),
  ...['time without time zone', 'time with time zone', 'timestamp without time zone'].map(writtenRule),
  ...['timestamp with time zone', 'interval', 'uuid', 'json', 'jsonb'].map(writtenRule),
  { type: 'arrays of all of these', as: 'a list of what the element becomes', note: notes.array_nulled },
  { type: 'all others', as: 'VARCHAR', note: 'Their text.' },
];

function readRule(type: string, id: string): TypeRule {
  const { carrier, rule } = readRendering(id);
  return { type, as: carrier, ...noteOf(rule, 'PostgreSQL’s') };
}

function writtenRule(type: string): TypeRule {
  const { type: as, nulled } = storage(type);
  return { type, as, ...noteOf(nulled, 'DuckDB’s') };
}

function noteOf(rule: string | undefined, whose: string): { note?: string } {
  if (rule === undefined) return {};
  return { note: rule === 'out_of_range_nulled' ? outOfRange(whose) : (notes[rule] ?? '') };
}
