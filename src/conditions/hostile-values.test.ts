import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { filterFunctions } from '../schema/filter.ts';
import type { Dialect } from './dialect.ts';
import { compile, duckdb, type FilterField, type FixedExpression, mysql, postgresql } from './index.ts';

/** What is left of a condition without its literals: no value may change it. */
const skeletons = {
  PostgreSQL: (sql: string) =>
    sql.replaceAll(/ ?E'(?:[^'\\]|''|\\.)*'|'(?:[^'\\]|'')*'/gs, 'L').replaceAll(/ *L/g, ' L'),
  MySQL: (sql: string) => sql.replaceAll(/x'[0-9a-f]*'|b'[01]+'|'(?:[^'\\]|''|\\.)*'/gs, 'L'),
  DuckDB: (sql: string) => sql.replaceAll(/'(?:[^']|'')*'/g, 'L'),
};

type Typed = [FilterField['type'], string];
const of = (type: FilterField['type'], ...types: string[]) => types.map((one): Typed => [type, one]);

const columns: Record<keyof typeof skeletons, [Dialect, Typed[]]> = {
  PostgreSQL: [
    postgresql,
    [
      ...of('string', 'text', 'character(3)', 'bit(3)', 'bit varying', 'uuid', 'inet', 'money', 'mood'),
      ...of('number', 'integer', 'numeric(9,2)', 'double precision'),
      ...of('datetime', 'date', 'timestamp with time zone'),
      ...of('boolean', 'boolean'),
      ...of('array', 'text[]', 'integer[]'),
    ],
  ],
  MySQL: [
    mysql,
    [
      ...of(
        'string',
        'varchar(9)',
        "enum('a','b')",
        "set('a','b')",
        'bit(3)',
        'bit(1)',
        'time',
        'json',
        'uuid',
      ),
      ...of('number', 'int', 'bigint unsigned', 'decimal(9,2)', 'float', 'double', 'bit(8)'),
      ...of('datetime', 'date', 'datetime(6)', 'timestamp'),
      ...of('boolean', 'tinyint(1)'),
    ],
  ],
  DuckDB: [
    duckdb,
    [
      ...of('string', 'VARCHAR', 'BIT', 'UUID', 'TIME', "ENUM('a', 'b')"),
      ...of('number', 'DOUBLE'),
      ...of('datetime', 'TIMESTAMP_S', 'DATE'),
      ...of('array', 'VARCHAR[]'),
    ],
  ],
};

const attacks = [
  ...[
    "1') or ('1",
    "' or 1=1 --",
    "\\' or 1=1 --",
    '") or ("1',
    "'; drop table t; --",
    "\\'); --",
    '`',
    '$$',
    '/*',
    '--',
  ],
  ...[
    "1' or '1",
    "b'1",
    '0x1',
    "x' or '1",
    '\\',
    "''",
    "'",
    "E'\\'",
    '1e400',
    'NaN',
    "{'}",
    "2024-01-01' or '1",
  ],
];
const hostile = fc.oneof(
  fc.constantFrom(...attacks),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc
    .array(fc.constantFrom("'", '\\', '"', '`', ')', ' or ', '1', '0', '--', ';', '\n', '%', '_', '!'), {
      maxLength: 8,
    })
    .map((parts) => parts.join('')),
  fc.double(),
  fc.boolean(),
);

describe.each(Object.keys(columns) as (keyof typeof columns)[])('%s', (system) => {
  const [dialect, types] = columns[system];
  const skeletonOf = skeletons[system];
  const plain = [
    'a',
    'x',
    '1',
    '101',
    'false',
    'true',
    'false',
    '2024-01-31',
    '2024-01-31T12:00:00Z',
    '12:00:00',
    crypto.randomUUID(),
  ];

  const compiled = (field: FilterField, name: string, value: unknown): string | undefined => {
    try {
      return compile({ field: field.name, function: name, value } as FixedExpression, [field], dialect);
    } catch (error) {
      expect(error).toMatchObject({ key: 'invalid_field' });
      return undefined;
    }
  };
  /** A number of plain digits is no text that anybody chose. */
  const skeleton = (sql: string) =>
    skeletonOf(sql).replaceAll(/(?<![\w"`])-?\d+(\.\d+)?(e[+-]?\d+)?(?!\w)/gi, 'N');

  test.each(types)('no value of a condition on %s %s is more than a value', (type, remoteType) => {
    const field: FilterField = { name: 'c', type, remoteType };
    for (const name of filterFunctions) {
      const shape = (value: unknown) =>
        [value, [value], [value, value]].map((one) => compiled(field, name, one));
      const shapes = new Set(
        plain
          .concat('')
          .flatMap(shape)
          .flatMap((sql) => (sql === undefined ? [] : [skeleton(sql)])),
      );
      if (shapes.size === 0) continue;
      fc.assert(
        fc.property(hostile, (value) => {
          for (const sql of shape(value)) {
            // Which index can serve depends on the characters: both shapes are ours.
            if (sql === undefined || /[^\x20-\x7e]/.test(String(value))) continue;
            expect([...shapes]).toContain(skeleton(sql));
          }
        }),
        { numRuns: 12 },
      );
    }
  });

  test('no name of a field is more than a name', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 9 }),
        fc.constantFrom('"', '`', "'", '\\'),
        (name, quote) => {
          const field: FilterField = { name: `${name}${quote}${name}`, type: 'string', remoteType: 'text' };
          const sql = compiled(field, 'IsNull', null) ?? '';
          const mark = system === 'MySQL' ? '`' : '"';
          expect(sql).toBe(`${mark}${field.name.replaceAll(mark, mark + mark)}${mark} is null`);
        },
      ),
    );
  });
});
