import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { testDatabase } from '../../test/support/database.ts';
import { queryDuckDB } from '../../test/support/duckdb.ts';
import { postgresqlConfiguration } from '../../test/support/http.ts';
import { describeMariadb, mariadbDatabase } from '../../test/support/mariadb.ts';
import { createEgress } from '../egress/index.ts';
import type { Session } from './contract.ts';
import { duckdb } from './duckdb/index.ts';
import { mysql } from './mysql/index.ts';
import { postgresql } from './postgresql/index.ts';

/** A value, the column it is written to, and what is there afterwards; and the rule that reports or refuses it. */
type Case = [column: string, value: string, text: string | null, rule?: string];

const egress = createEgress({ allow: ['127.0.0.0/8'] });
afterAll(() => egress.close());

const numbers = (decimal: string, single: string, double: string): Case[] => [
  [decimal, '1.50', '1.50'],
  [decimal, '1.500', '1.50'],
  [decimal, '-1.5e1', '-15.00'],
  [decimal, '1.239', '1.24', 'number_rounded'],
  [decimal, '1.5e-3', '0.00', 'number_rounded'],
  [single, '0.1', '0.1'],
  [single, '-12345.6', '-12345.6'],
  [single, '16777217', '1.6777216e+07', 'number_rounded'],
  [single, '0.1234567891', '0.12345679', 'number_rounded'],
  [double, '0.12345678901234568', '0.12345678901234568'],
  [double, '9007199254740993', '9.007199254740992e+15', 'number_rounded'],
];

test('PostgreSQL', async () => {
  const database = await testDatabase();
  await database.query(
    'create domain cents as numeric(10,2); create domain price as cents check (value > 0); create domain years_only as interval year',
  );
  const session = postgresql.open(
    { ...postgresqlConfiguration(database.url), client_certs: false },
    { egress },
  );
  await check(session, 'public', (sql) => database.query(sql), [
    ...numbers('numeric(10,2)', 'real', 'double precision'),
    ['price', '1.239', '1.24', 'number_rounded'],
    ['numeric(5,-2)', '1234', '1200', 'number_rounded'],
    ['numeric(5,1)[]', '{1.50,NULL}', '{1.5,NULL}'],
    ['numeric(5,1)[]', '{1.55,2}', '{1.6,2.0}', 'number_rounded'],
    ['money', '1.239', '$1.24', 'number_rounded'],
    ['money', '', null, 'not_a_number'],
    ['date', '2024-02-29 00:00:00+00', '2024-02-29'],
    ['date', '2024-02-29 12:34:56', '2024-02-29', 'time_dropped'],
    ['date', '2024-02-29 23:00:00-05', null, 'time_zone_lost'],
    ['timestamp', '2024-02-29 12:34:56.1200+00', '2024-02-29 12:34:56.12'],
    ['timestamp', '0044-03-15 12:00:00 BC', '0044-03-15 12:00:00 BC'],
    ['timestamp', '2024-02-29 12:34:56+05:30', null, 'time_zone_lost'],
    ['timestamp', '2024-02-29 12:34:56 Europe/Berlin', null, 'time_zone_lost'],
    ['timestamp(3)', '2024-02-29 12:34:56.1234', '2024-02-29 12:34:56.123', 'time_rounded'],
    ['timestamptz', '2024-02-29 12:34:56.123456789+05:30', '2024-02-29 07:04:56.123457+00', 'time_rounded'],
    ['timestamptz(0)', '2024-02-29 12:34:56.000+00', '2024-02-29 12:34:56+00'],
    ['time(0)', '12:34:56.7', '12:34:57', 'time_rounded'],
    ['time', '2024-02-29 12:34:56', null, 'date_lost'],
    ['time', '12:34:56+02', null, 'time_zone_lost'],
    ['timetz', '12:34:56+02', '12:34:56+02'],
    ['interval(0)', '1 day 00:00:01.5', '1 day 00:00:02', 'time_rounded'],
    ['interval day to second', '00:00:01.1234567', '00:00:01.123457', 'time_rounded'],
    ['interval day to second', '1 year 1.5 days', '1 year 1 day 12:00:00'],
    ['interval year', '5', '5 years'],
    ['interval year', '5.5', null, 'not_a_time'],
    ['interval year', '-24 mons', '-2 years'],
    ['interval year', '1 year 2 mons', '1 year', 'time_dropped'],
    ['interval year', '1 year 00:00:00.000001', '1 year', 'time_dropped'],
    ['interval year', 'in 2 years', null, 'not_a_time'],
    ['interval year[]', '{"1 year 2 mons",NULL,3}', '{"1 year",NULL,"3 years"}', 'time_dropped'],
    ['interval year to month', '7', '7 mons'],
    ['interval year to month', '1 year 2 mons 3 days', '1 year 2 mons', 'time_dropped'],
    ['interval month', 'P1Y2M', '1 year 2 mons'],
    ['interval month', 'PT2M', '00:00:00', 'time_dropped'],
    ['interval month', 'P', null, 'not_a_time'],
    ['interval day', '1 mon 3 days 24:00:00', '1 mon 3 days', 'time_dropped'],
    ['interval day', '2 weeks', '14 days'],
    ['interval day', '1 12:00:00', null, 'not_a_time'],
    ['interval day to hour', '1 day 24:00:00', '1 day 24:00:00'],
    ['interval hour', '-90 min', '-01:00:00', 'time_dropped'],
    ['interval day to minute', '1 day 01:02:03.5', '1 day 01:02:00', 'time_dropped'],
    ['interval hour to minute', '120 seconds', '00:02:00'],
    ['interval minute to second', '01:02', '00:01:02'],
    ['interval minute to second(2)', '1h 1.234 s', '01:00:01.23', 'time_rounded'],
    ['interval(3)', '1 us', null, 'not_a_time'],
    ['years_only', '1 year 1 day', '1 year', 'time_dropped'],
    ['years_only', '9', '9 years'],
    ['varchar(3)', 'abc  ', 'abc', 'trailing_spaces_dropped'],
    ['varchar(3)', 'ab ', 'ab '],
    ['varchar(3)', '🌊🌊🌊', '🌊🌊🌊'],
    ['char(3)', 'ab', 'ab '],
    ['char(3)', 'abcd', null, 'too_long'],
    ['bit(3)', '101', '101'],
    ['bit(3)', '10', null, 'wrong_length'],
    ['bit varying(3)', '1010', null, 'wrong_length'],
    ['numeric(5,2)', '-999.99', '-999.99'],
    ['numeric(5,2)', '1e3', null, 'too_large'],
    ['numeric(2,2)', '0.00', '0.00'],
    ['numeric(5,-2)', '1234567', '1234600', 'number_rounded'],
    ['numeric(5,-2)', '12345678', null, 'too_large'],
    ['numeric(5,2)', 'NaN', 'NaN'],
    ['name', 'x'.repeat(64), null, 'too_long'],
    ['"char"', 'ab', null, 'too_long'],
  ]);
});

describeMariadb('MariaDB', () => {
  test('MariaDB', async () => {
    const database = await mariadbDatabase();
    const session = mysql.open(database.configuration, { egress });
    await check(session, database.name, (sql) => database.query(sql), [
      ...numbers('decimal(10,2)', 'float', 'double'),
      ['float(7,3)', '1.2345', '1.234', 'number_rounded'],
      ['int', '1.0', '1'],
      ['int', '1e3', '1000'],
      ['int', '1.5', null, 'not_whole'],
      ['bit(8)', '', null, 'not_a_number'],
      ['year', '2024', '2024'],
      ['year', '99', null, 'not_a_time'],
      ['date', '2024-02-29 12:34:56', '2024-02-29', 'time_dropped'],
      ['date', '1.2.3.4', null, 'not_a_time'],
      ['datetime', '2024-02-29 12:34:56.7', '2024-02-29 12:34:56', 'time_rounded'],
      ['datetime(6)', '2024-02-29 12:34:56+05:30', '2024-02-29 07:04:56'],
      ['datetime(6)', '25:00:00', null, 'not_a_time'],
      ['timestamp(3) null', '2024-02-29 12:34:56.1234', '2024-02-29 12:34:56.123+00', 'time_rounded'],
      ['time(1)', '12:34:56.78', '12:34:56.7', 'time_rounded'],
      ['time', '2024-02-29 12:34:56', null, 'date_lost'],
      ['time', '300', null, 'not_a_time'],
      ['varchar(3)', 'abc\t', 'abc', 'trailing_spaces_dropped'],
      ['char(3)', 'a ', 'a', 'trailing_spaces_dropped'],
      ['binary(3)', '\\x01', '\\x010000', 'zero_padded'],
      ['varbinary(3)', '\\x01', '\\x01'],
      [`enum('a','it''s')`, `it's`, `it's`],
      [`enum('a','it''s')`, '1', null, 'not_a_member'],
      [`enum('a','it''s')`, 'Ä', null, 'not_a_member'],
      [`set('a','b')`, 'a,b', 'a,b'],
      [`set('a','b')`, '3', null, 'not_a_member'],
    ]);
  });
});

test('DuckDB', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'duckdb-fits-'));
  const session = duckdb.open({ database: 'x.duckdb' }, { egress, folder });
  await check(session, 'main', (sql) => queryDuckDB(path.join(folder, 'x.duckdb'), sql), [
    ...numbers('DECIMAL(10,2)', 'FLOAT', 'DOUBLE'),
    ['DECIMAL(30,4)', '1.5e-3', '0.0015'],
    ['DECIMAL(30,4)', '-0.00015', '-0.0002', 'number_rounded'],
    ['DECIMAL(5,1)[]', '{1.55,2}', '{1.6,2.0}', 'number_rounded'],
    ['DECIMAL(5,2)', '-999.99', '-999.99'],
    ['DECIMAL(5,2)', '1000', null, 'too_large'],
    [`ENUM('it''s', 'b')`, "it's", "it's"],
    [`ENUM('it''s', 'b')`, 'v3', null, 'not_a_member'],
    ['INTEGER[]', '{1.0,2}', '{1,2}'],
    ['INTEGER[]', '{1.5,2}', null, 'not_whole'],
    ['INTEGER[]', '1', null, 'not_an_array'],
    ['DATE', '2024-02-29 12:34:56', '2024-02-29', 'time_dropped'],
    ['TIMESTAMP', '2024-02-29 12:34:56+05:30', null, 'time_zone_lost'],
    ['TIMESTAMP', '2024-02-29 12:34:56.1234567', '2024-02-29 12:34:56.123456', 'time_rounded'],
    ['TIMESTAMP_MS', '2024-02-29 12:34:56.1234', '2024-02-29 12:34:56.123', 'time_rounded'],
    ['TIMESTAMPTZ', '2024-02-29 12:34:56+05:30', '2024-02-29 07:04:56+00'],
    ['TIME', '2024-02-29 12:34:56', null, 'date_lost'],
    ['INTERVAL', '', null, 'not_a_number'],
  ]);
  await rm(folder, { recursive: true });
});

/** Every case is a record with a column of its own. */
async function check(
  session: Session,
  schema: string,
  query: (sql: string) => Promise<unknown>,
  cases: readonly Case[],
): Promise<void> {
  const columns = cases.map(([type], index) => `c${index} ${type}`);
  await query(`create table t (id varchar(9) primary key, ${columns.join(', ')})`);
  const object = `${schema}.t`;
  const writer = await session.modelDestination?.writer({
    ...{ sync: { id: crypto.randomUUID(), name: 'fits' }, object, configuration: {} },
    ...{ mode: 'updateOrCreate', identity: 'id' },
    fields: cases.map(([, value], index) => ({
      source: {
        ...{ name: 'v', nullable: true },
        ...(value.startsWith('\\x')
          ? { type: 'binary' as const, remoteType: 'bytea' }
          : { type: 'string' as const, remoteType: 'text' }),
      },
      ...{ target: `c${index}`, createOnly: false },
    })),
  });
  const records = cases.map(([, value], index) => ({
    ...{ key: String(index), hash: '1' },
    values: cases.map((_, at) => (at === index ? value : null)),
  }));
  const results = (await writer?.write(records, async () => {})) ?? [];
  const stored = await rows(session, object, cases.length);
  // Where the rows are there already they are written in another way.
  await writer?.write(records, async () => {});
  expect(await rows(session, object, cases.length)).toEqual(stored);
  await session.close();
  const found = cases.map(([type, value, , rule], index): Case => {
    const result = results[index];
    const text = stored.get(String(index))?.[index] ?? null;
    if (result?.status === 'refused') return [type, value, text, rule ?? result.reason];
    const [warning] = result?.warnings ?? [];
    return warning === undefined ? [type, value, text] : [type, value, text, warning.rule];
  });
  expect(found).toEqual(cases);
  results.forEach((result, index) => {
    expect([cases[index]?.[0], result.status]).toEqual([
      cases[index]?.[0],
      cases[index]?.[2] === null ? 'refused' : 'inserted',
    ]);
  });
}

async function rows(session: Session, table: string, columns: number) {
  const fields = Array.from({ length: columns }, (_, index) => `c${index}`);
  const stored = new Map<string | null, (string | null)[]>();
  const found = session.modelSource?.records({ configuration: { table }, fields, identity: 'id' });
  for await (const batch of found ?? []) for (const { key, values } of batch) stored.set(key, values);
  return stored;
}
