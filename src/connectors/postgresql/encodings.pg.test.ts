import pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import { outputOf, planOf } from '../../../test/support/bulk-pair.ts';
import { databaseAt, type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { loopback } from '../../../test/support/egress.ts';
import { postgresqlConfiguration } from '../../../test/support/http.ts';
import type { ValueWarning } from '../contract.ts';
import { postgresql } from './index.ts';

let counter = 0;

async function databaseIn(encoding: string): Promise<TestDatabase> {
  const name = `test_${encoding.toLowerCase()}_${process.pid}_${counter++}`;
  const admin = new pg.Client(inject('postgres').url);
  await admin.connect();
  await admin.query(`create database ${name} template template0 encoding '${encoding}' locale 'C'`);
  const database = databaseAt(Object.assign(new URL(inject('postgres').url), { pathname: `/${name}` }).href);
  onTestFinished(async () => {
    await database[Symbol.asyncDispose]();
    await admin.query(`drop database ${name} with (force)`);
    await admin.end();
  });
  return database;
}

const open = ({ url }: TestDatabase) =>
  postgresql.open({ ...postgresqlConfiguration(url), client_certs: false }, { egress: loopback });

/** As a bulk sync does: the destination's position first, then what both ends take. */
async function copy(from: TestDatabase, to: TestDatabase, rangeRows?: number) {
  const [{ bulkSource: source }, { bulkDestination: destination }] = [open(from), open(to)];
  if (source === undefined || destination === undefined) throw new Error('not for bulk syncs');
  const table = await source.table('public.t', undefined);
  const output = outputOf(table, 'copy');
  await destination.standing(output);
  const format = table.formats.find((one) => destination.formats.includes(one)) ?? 'copy-text';
  const ranges = rangeRows === undefined ? [] : ((await source.ranges?.(table, rangeRows)) ?? []);
  const load = await destination.load(output, planOf({ ranged: ranges.length > 0 }));
  const warnings: ValueWarning[] = [];
  for (const range of ranges.length === 0 ? [undefined] : ranges) {
    const rows = await source.read(table, format, range === undefined ? {} : { range });
    const written = await load.write(rows, format, range);
    warnings.push(...(rows.warnings ?? []), ...written.warnings);
  }
  await load.commit({});
  return { warnings, rows: await to.query<{ a: string; b: string }>('select a, b from copy.t order by id') };
}

test('bytes of an SQL_ASCII database that are no UTF-8 are replaced and counted, all others arrive', async () => {
  const [source, destination] = [await databaseIn('SQL_ASCII'), await testDatabase()];
  await source.query(`set client_encoding = 'SQL_ASCII'; create table t (id int primary key, a text, b text);
    insert into t select i, case when i % 1000 = 0 then convert_from('\\x68e92d', 'SQL_ASCII') else 'plain 💥é' end,
      case when i = 7 then convert_from('\\xff09e2820afe', 'SQL_ASCII') else 'x' end from generate_series(1, 5000) i`);
  const expected = [
    { column: 'a', rule: 'invalid_utf8_replaced', count: 5 },
    { column: 'b', rule: 'invalid_utf8_replaced', count: 1 },
  ];
  const { rows, warnings } = await copy(source, destination);
  expect(warnings).toEqual(expected);
  expect(rows).toHaveLength(5000);
  expect(rows[6]).toEqual({ a: 'plain 💥é', b: '�\t�\n�' });
  expect(rows[999]).toEqual({ a: 'h�-', b: 'x' });
  const told: ValueWarning[] = [];
  const records = open(source).modelSource?.records({
    configuration: { table: 'public.t' },
    fields: ['a', 'b'],
    identity: 'id',
    warned: (some) => told.push(...some),
  });
  const values = (await Array.fromAsync(records ?? [])).flat().map((record) => record.values[0]);
  expect(values.filter((value) => value === 'h�-')).toHaveLength(5);
  expect(told).toEqual(expected);
  // And back, where any bytes are taken.
  await destination.query(`create table t as select * from copy.t`);
  expect((await copy(destination, await databaseIn('SQL_ASCII'))).warnings).toEqual([]);
});

test('characters that a destination has no code for are replaced and counted, also in ranges', async () => {
  const source = await testDatabase();
  await source.query(`create table t (id int primary key, a text, b text);
    insert into t select i, 'é' || case when i = 2 then '€💥' else '' end, 'ü' from generate_series(1, 20000) i; analyze t`);
  const [latin1, latin9, euc] = [
    await databaseIn('LATIN1'),
    await databaseIn('LATIN9'),
    await databaseIn('EUC_JP'),
  ];
  const one = await copy(source, latin1, 5000);
  expect(one.warnings).toEqual([{ column: 'a', rule: 'unknown_character_replaced', count: 1 }]);
  expect(one.rows.slice(0, 2)).toEqual([
    { a: 'é', b: 'ü' },
    { a: 'é??', b: 'ü' },
  ]);
  expect((await copy(source, latin9)).rows[1]).toEqual({ a: 'é€?', b: 'ü' });
  await expect(copy(source, euc)).rejects.toThrow('has no equivalent in encoding "EUC_JP"');
});

test('every character of other encodings arrives', async () => {
  const points: Record<string, string> = {
    LATIN1: 'é¿ÿ\u0085',
    WIN1252: '€œ',
    KOI8R: 'Жя',
    EUC_JP: '日本',
    LATIN5: 'ğş',
  };
  for (const [encoding, a] of Object.entries(points)) {
    const [source, destination] = [await databaseIn(encoding), await testDatabase()];
    await source.query(`create table t (id int primary key, a text, b text)`);
    await source.query('insert into t values (1, $1, null)', [a]);
    expect(await copy(source, destination)).toEqual({ warnings: [], rows: [{ a, b: null }] });
    // And where it came from.
    await destination.query('create table t as select * from copy.t');
    expect(await copy(destination, await databaseIn(encoding))).toEqual({
      warnings: [],
      rows: [{ a, b: null }],
    });
  }
});
