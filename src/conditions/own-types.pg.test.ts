import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, test } from 'vitest';
import { testDatabase } from '../../test/support/database.ts';
import { describeMariadb, mariadbDatabase } from '../../test/support/mariadb.ts';
import type { Json } from '../lib/json.ts';
import type { FieldType } from '../schema/field-type.ts';
import type { FilterFunction } from '../schema/filter.ts';
import type { Dialect } from './dialect.ts';
import { compile, duckdb, type FilterField, type FixedExpression, mysql, postgresql } from './index.ts';

/** Type of a column, its value as a literal, the condition on it, and whether it holds. */
type Case = [
  type: FieldType,
  remoteType: string,
  value: string,
  name: FilterFunction,
  operand: Json,
  holds: boolean,
];

function conditionsOf(
  cases: readonly Case[],
  dialect: Dialect,
): { columns: string; values: string; conditions: string[] } {
  const fields = cases.map(
    ([type, remoteType], index): FilterField => ({ name: `c${index}`, type, remoteType }),
  );
  return {
    columns: fields.map(({ name, remoteType }) => `${name} ${remoteType}`).join(', '),
    values: cases.map(([, , value]) => value).join(', '),
    conditions: cases.map(([, , , name, value], index) =>
      compile({ field: `c${index}`, function: name, value } as FixedExpression, fields, dialect),
    ),
  };
}

async function holding(
  cases: readonly Case[],
  conditions: string[],
  ask: (condition: string) => Promise<boolean>,
) {
  const answers: Case[] = [];
  for (const [index, condition] of conditions.entries()) {
    const [type, remoteType, value, name, operand] = cases[index] as Case;
    answers.push([type, remoteType, value, name, operand, await ask(condition)]);
  }
  return answers;
}

describe('PostgreSQL', () => {
  const cases: Case[] = [
    ['string', 'character(5)', "'ab'", 'Equality', 'ab', true],
    ['string', 'character(5)', "'ab'", 'Equality', 'ab but longer', false],
    ['string', 'character varying(3)', "'abc'", 'Equality', 'abcd', false],
    ['string', 'mood', "'sad'", 'Equality', 'sad', true],
    ['string', 'mood', "'sad'", 'LessThan', 'happy', true],
    ['string', 'mood', "'sad'", 'StringContains', 'a', true],
    [
      'string',
      'uuid',
      "'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'",
      'Equality',
      'F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6',
      true,
    ],
    ['string', 'inet', "'10.0.0.1'", 'GreaterThan', '9.255.0.1', true],
    ['string', 'interval', "'36 hours'", 'GreaterThan', '1 day', true],
    ['string', 'bit(3)', "'101'", 'Equality', '101', true],
    ['string', 'money', "'12.30'", 'LessThan', '100.00', true],
    ['string', 'time(3) without time zone', "'08:00'", 'Between', ['07:30', '08:00:00.000'], true],
    ['number', 'numeric', '1e30 + 0.1', 'GreaterThan', '1000000000000000000000000000000.05', true],
    ['number', 'double precision', '0.1', 'Equality', 0.1, true],
    ['number', 'real', "'1e-45'", 'GreaterThan', '0', true],
    ['number', 'numeric(4,2)', '12.30', 'StringOneOf', ['12.3', 99], true],
    [
      'datetime',
      'timestamp(0) without time zone',
      "'2024-01-31 12:00:00'",
      'LessThan',
      '2024-01-31T12:00:00.4Z',
      true,
    ],
    [
      'datetime',
      'timestamp without time zone',
      "'2024-01-31 12:00:00'",
      'Equality',
      '2024-01-31T14:00:00+02:00',
      true,
    ],
    ['datetime', 'timestamp with time zone', "'infinity'", 'GreaterThan', '9999-12-31', true],
    ['datetime', 'date', "'0001-01-01 BC'", 'LessThan', '0001-01-01', true],
    ['array', 'mood[]', `'{sad,happy}'`, 'ArrayContains', 'happy', true],
    ['array', 'numeric(4,2)[]', `'{1.5,NULL}'`, 'ArrayContains', '1.50', true],
    ['array', 'character varying(9)[]', `'{{"a\\"\\\\b",NULL},{"NULL",c}}'`, 'ArrayContains', 'a"\\b', true],
    ['array', 'text[]', `'{NULL}'`, 'ArrayContains', 'NULL', false],
    [
      'array',
      'timestamp with time zone[]',
      `'{2024-01-31 12:00:00+00}'`,
      'ArrayContains',
      '2024-01-31T13:00:00+01:00',
      true,
    ],
    ['array', 'boolean[]', `'{f}'`, 'ArrayContains', false, true],
  ];

  test('a literal is read as what the column is', async () => {
    const database = await testDatabase();
    await database.query("create type mood as enum ('sad', 'happy')");
    const { columns, values, conditions } = conditionsOf(cases, postgresql);
    await database.query(`create table t (${columns}); insert into t values (${values})`);
    const ask = async (condition: string) =>
      (await database.query(`select from t where ${condition}`)).length === 1;
    expect(await holding(cases, conditions, ask)).toEqual(cases);
  });

  test('an index on the column serves', async () => {
    const database = await testDatabase();
    const cases: Case[] = [
      ['number', 'bigint', '1', 'Equality', '1', true],
      ['number', 'numeric(9,2)', '1', 'GreaterThan', 1.5, true],
      ['string', 'text', "''", 'StringOneOf', ['a', 'b'], true],
      ['string', 'uuid', 'gen_random_uuid()', 'Equality', crypto.randomUUID(), true],
      ['datetime', 'timestamp with time zone', 'now()', 'OnOrAfter', '2024-01-31', true],
      ['datetime', 'date', 'now()', 'Between', ['2024-01-31', '2024-02-01T10:00:00Z'], true],
    ];
    const { columns, conditions } = conditionsOf(cases, postgresql);
    await database.query(`create table t (${columns})`);
    for (const [index, condition] of conditions.entries()) {
      await database.query(`create index on t (c${index})`);
      const plan = await database.query(`set enable_seqscan = off; explain select from t where ${condition}`);
      expect([condition, JSON.stringify(plan)]).toEqual([condition, expect.stringContaining('Index Cond')]);
    }
  });
});

describe('DuckDB', () => {
  const cases: Case[] = [
    [
      'string',
      'UUID',
      "'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'",
      'Equality',
      'F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6',
      true,
    ],
    ['string', "ENUM('sad', 'it''s')", "'it''s'", 'Equality', "it's", true],
    ['string', "ENUM('sad', 'happy')", "'sad'", 'StringContains', 'a', true],
    ['string', 'TIME', "'08:00'", 'Between', ['07:30', '08:00:00.000'], true],
    ['string', 'INTERVAL', "'36 hours'", 'GreaterThan', '1 day', true],
    [
      'number',
      'HUGEINT',
      '170141183460469231731687303715884105727',
      'Equality',
      '170141183460469231731687303715884105727',
      true,
    ],
    ['number', 'UBIGINT', '18446744073709551615', 'GreaterThan', '18446744073709551614', true],
    [
      'number',
      'DECIMAL(38,10)',
      "'1234567890123456789012345678.0123456789'",
      'Equality',
      '1234567890123456789012345678.0123456789',
      true,
    ],
    ['number', 'DOUBLE', '0.1', 'Equality', 0.1, true],
    ['number', 'FLOAT', '0.1', 'StringOneOf', [0.1], true],
    ['datetime', 'TIMESTAMP_S', "'2024-01-31 12:00:00'", 'LessThan', '2024-01-31T12:00:00.4Z', true],
    [
      'datetime',
      'TIMESTAMP_MS',
      "'2024-01-31 12:00:00.123'",
      'LessThan',
      '2024-01-31T12:00:00.123456Z',
      true,
    ],
    [
      'datetime',
      'TIMESTAMP_NS',
      "'2024-01-31 12:00:00.123456789'",
      'GreaterThan',
      '2024-01-31T12:00:00.123456Z',
      true,
    ],
    [
      'datetime',
      'TIMESTAMP WITH TIME ZONE',
      "'2024-01-31 12:00:00+00'",
      'Equality',
      '2024-01-31T14:00:00+02:00',
      true,
    ],
    ['array', 'DECIMAL(4,2)[]', '[1.5, null]', 'ArrayContains', '1.50', true],
    ['array', 'INTEGER[2]', '[1, 2]', 'ArrayContains', 2, true],
    [
      'array',
      'UUID[]',
      "['f81d4fae-7dec-11d0-a765-00a0c91e6bf6']",
      'ArrayContains',
      'f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
      true,
    ],
    ['array', 'TIMESTAMP[]', "['2024-01-31 12:00:00']", 'ArrayContains', '2024-01-31T13:00:00+01:00', true],
    ['array', 'BOOLEAN[]', '[false]', 'ArrayContains', false, true],
    ['array', 'VARCHAR[]', '[null]', 'ArrayContains', 'x', false],
  ];

  test('a literal is read as what the column is', async () => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const { columns, values, conditions } = conditionsOf(cases, duckdb);
    await connection.run(`create table t (${columns}); insert into t values (${values})`);
    const ask = async (condition: string) =>
      (await connection.runAndReadAll(`select 1 from t where ${condition}`)).currentRowCount === 1;
    expect(await holding(cases, conditions, ask)).toEqual(cases);
    connection.closeSync();
  });
});

describeMariadb('MariaDB', () => {
  const cases: Case[] = [
    ['string', 'varchar(9) character set latin1', "'Süd'", 'Equality', 'Süd', true],
    ['string', 'varchar(9) character set latin1', "'Süd'", 'Equality', 'süd', false],
    ['string', 'varchar(9) character set latin1', "'Süd'", 'Equality', '😀', false],
    ['string', 'varchar(9) character set latin1', "'Süd'", 'StringOneOf', ['😀', 'Süd'], true],
    ['string', 'varchar(9) character set latin1', "'Süd'", 'StringContains', '😀', false],
    ['string', 'varchar(9) character set latin1', "'Süd'", 'StringLike', 'S_d', true],
    ['string', 'varchar(9) character set ucs2', "'Süd'", 'LessThan', 'Süe', true],
    ['string', 'varchar(9)', "'a '", 'Equality', 'a', false],
    ['string', 'varchar(9) collate utf8mb4_bin', "'a '", 'Equality', 'a ', true],
    ['string', 'text', "'é'", 'Equality', 'e', false],
    ['string', 'char(5)', "'ab'", 'Equality', 'ab', true],
    ['string', "enum('sad','it''s')", "'it''s'", 'Equality', "it's", true],
    ['string', "enum('sad','happy')", "'sad'", 'StringOneOf', ['sad'], true],
    [
      'string',
      'uuid',
      "'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'",
      'Equality',
      'F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6',
      true,
    ],
    ['string', 'inet6', "'::1'", 'Equality', '0::1', true],
    ['string', 'time(3)', "'08:00'", 'Between', ['07:30', '08:00:00.000'], true],
    ['string', 'bit(9)', "b'101'", 'Equality', '000000101', true],
    ['string', 'bit(9)', "b'101'", 'StringEndsWith', '0101', true],
    ['string', 'bit(9)', "b'101'", 'StringContains', '11', false],
    ['number', 'bigint(20) unsigned', '18446744073709551615', 'Equality', '18446744073709551615', true],
    ['number', 'bigint(20) unsigned', '18446744073709551615', 'GreaterThan', '18446744073709551614', true],
    [
      'number',
      'decimal(65,30)',
      "'12345678901234567890123456789012345.012345678901234567890123456789'",
      'Equality',
      '12345678901234567890123456789012345.012345678901234567890123456789',
      true,
    ],
    ['number', 'float', '0.1', 'Equality', 0.1, true],
    ['number', 'double', '0.1', 'Equality', 0.1, true],
    ['number', 'double', '1e300', 'GreaterThan', '9.9e299', true],
    ['number', 'year(4)', '2024', 'Equality', '2024', true],
    ['boolean', 'tinyint(1)', '2', 'True', null, true],
    ['boolean', 'bit(1)', "b'1'", 'Equality', true, true],
    ['boolean', 'tinyint(1)', '0', 'StringOneOf', [true, false], true],
    ['datetime', 'datetime', "'2024-01-31 12:00:00'", 'LessThan', '2024-01-31T12:00:00.4Z', true],
    [
      'datetime',
      'timestamp(6)',
      "'2024-01-31 12:00:00.123456'",
      'Equality',
      '2024-01-31T14:00:00.123456+02:00',
      true,
    ],
    ['datetime', 'timestamp(6)', "'2024-01-31 12:00:00'", 'LessThan', '9999-12-31', true],
    ['datetime', 'date', "'2024-01-31'", 'StringOneOf', ['2024-01-31T14:00:00Z'], true],
  ];

  test('a literal is read as what the column is', async () => {
    const database = await mariadbDatabase();
    const { columns, values, conditions } = conditionsOf(cases, mysql);
    await database.query(
      `set time_zone = '+00:00'; create table t (${columns}); insert into t values (${values})`,
    );
    const ask = async (condition: string) =>
      (await database.query(`select 1 from t where ${condition}`)).length === 1;
    expect(await holding(cases, conditions, ask)).toEqual(cases);
  });

  test('an index on the column serves', async () => {
    const database = await mariadbDatabase();
    const cases: Case[] = [
      ['number', 'bigint', '1', 'Equality', '1', true],
      ['number', 'decimal(9,2)', '1', 'GreaterThan', 1.5, true],
      ['string', 'varchar(40)', "''", 'Equality', 'a', true],
      ['string', 'varchar(41)', "''", 'StringOneOf', ['a', 'b'], true],
      ['datetime', 'datetime(6)', 'now()', 'OnOrAfter', '2024-01-31', true],
      ['datetime', 'timestamp', 'now()', 'OnOrAfter', '2024-01-31', true],
      ['datetime', 'date', 'now()', 'Between', ['2024-01-31', '2024-02-01T10:00:00Z'], true],
    ];
    const { columns, conditions } = conditionsOf(cases, mysql);
    await database.query(`create table t (${columns})`);
    for (const index of conditions.keys()) await database.query(`create index i${index} on t (c${index})`);
    for (const [index, condition] of conditions.entries()) {
      const plan = await database.query(`explain select * from t where ${condition}`);
      expect([condition, plan]).toEqual([
        condition,
        [expect.objectContaining({ possible_keys: `i${index}` })],
      ]);
    }
  });
});
