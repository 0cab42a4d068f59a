import { once } from 'node:events';
import { expect, test } from 'vitest';
import { connectTo, outputOf, planOf } from '../../../test/support/bulk-pair.ts';
import { testDatabase } from '../../../test/support/database.ts';
import { loopback } from '../../../test/support/egress.ts';
import { describeMariadb, mariadbDatabase } from '../../../test/support/mariadb.ts';
import type { BulkRead, RowStream } from '../contract.ts';
import { bulkDestination } from '../postgresql/bulk-destination.ts';
import { bulkSource } from './bulk-source.ts';
import { connector } from './client.ts';

async function pair(sql: string) {
  const [source, destination] = [await mariadbDatabase(), await testDatabase()];
  await source.query(`set sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO'; set time_zone = '+00:00'`);
  await source.query(sql);
  const from = bulkSource(connector(source.configuration, { egress: loopback }));
  return { source, destination, from, to: bulkDestination(connectTo(destination)) };
}

type Both = Awaited<ReturnType<typeof pair>>;

/** Reads a table into `copy.t`. Returns its rows as text, in the key's order, and what was reported. */
async function arrived({ source, destination, from, to }: Both, read: BulkRead = {}, name = 't') {
  const table = await from.table(`${source.name}.${name}`, undefined);
  const columns = table.columns.map((column) =>
    read.salt === undefined || table.primaryKey.includes(column.name)
      ? column
      : { ...column, type: 'text', obfuscated: true },
  );
  const load = await to.load(outputOf({ ...table, columns }, 'copy', 't'), planOf());
  const rows = await from.read({ ...table, columns }, 'copy-text', read);
  const { rows: written } = await load.write(rows, 'copy-text');
  await load.commit({});
  expect(rows.rows).toBe(written);
  const list = columns.map(({ name: column }) => `"${column.replaceAll('"', '""')}"::text`).join(', ');
  const result = await destination.query<{ row: string[] }>(
    `select array[${list}] as row from copy.t order by 1`,
  );
  return { rows: result.map(({ row }) => row), warnings: rows.warnings, table };
}

async function drained(rows: RowStream): Promise<RowStream> {
  rows.resume();
  await once(rows, 'end');
  return rows;
}

/** A table with one column of each type, and what must come of its values. */
const matrix: [type: string, carrier: string, ...values: [sql: string, text: string | null][]][] = [
  ['tinyint(1)', 'smallint', ['-128', '-128'], ['1', '1']],
  ['tinyint unsigned', 'smallint', ['255', '255']],
  ['smallint unsigned', 'integer', ['65535', '65535']],
  ['mediumint', 'integer', ['-8388608', '-8388608']],
  ['int unsigned', 'bigint', ['4294967295', '4294967295']],
  ['int(6) zerofill', 'bigint', ['42', '42'], ['0', '0']],
  ['bigint', 'bigint', ['-9223372036854775808', '-9223372036854775808']],
  ['bigint unsigned', 'numeric(20,0)', ['18446744073709551615', '18446744073709551615']],
  [
    'decimal(65,30)',
    'numeric(65,30)',
    [`'-${'9'.repeat(35)}.${'9'.repeat(30)}'`, `-${'9'.repeat(35)}.${'9'.repeat(30)}`],
  ],
  ['decimal(6,2) zerofill', 'numeric(6,2)', ['0.5', '0.50'], ['12', '12.00']],
  [
    'float',
    'real',
    ['0.1', '0.1'],
    ['16777216', '1.6777216e+07'],
    ['3.4028234e38', '3.4028235e+38'],
    ['1e-45', '1e-45'],
    ['123456', '123456'],
    ['-0.00012345678', '-0.00012345678'],
  ],
  ['float(7,3)', 'real', ['1.5', '1.5']],
  [
    'double',
    'double precision',
    ['0.1', '0.1'],
    ['5e-324', '5e-324'],
    ['1.7976931348623157e308', '1.7976931348623157e+308'],
    ['1e15', '1e+15'],
    ['123456789012345', '123456789012345'],
    ['0.00001', '1e-05'],
    ['0.0001', '0.0001'],
    ['-1234567890.1234567', '-1234567890.1234567'],
  ],
  ['double(9,2)', 'double precision', ['2.5', '2.5']],
  ['bit(10)', 'bit(10)', [`b'1010101011'`, '1010101011'], [`b'1'`, '0000000001']],
  ['bit(64)', 'bit(64)', [`b'${'1'.repeat(64)}'`, '1'.repeat(64)]],
  ['year', 'smallint', ['2024', '2024'], ['0', '0']],
  [
    'date',
    'date',
    [`'9999-12-31'`, '9999-12-31'],
    [`'0001-01-01'`, '0001-01-01'],
    [`'2024-02-29'`, '2024-02-29'],
    [`'0000-00-00'`, null],
    [`'2024-02-31'`, null],
    [`'2023-02-29'`, null],
    [`'2024-00-15'`, null],
    [`'0000-05-05'`, null],
  ],
  [
    'datetime(6)',
    'timestamp without time zone',
    [`'9999-12-31 23:59:59.999999'`, '9999-12-31 23:59:59.999999'],
    [`'2024-01-01 00:00:00.5'`, '2024-01-01 00:00:00.5'],
    [`'0000-00-00 00:00:00'`, null],
  ],
  ['datetime', 'timestamp without time zone', [`'2024-01-01 10:00:00'`, '2024-01-01 10:00:00']],
  [
    'timestamp(6) null',
    'timestamp with time zone',
    [`'2038-01-19 03:14:07.999999'`, '2038-01-19 03:14:07.999999+00'],
    [`'1970-01-01 00:00:01'`, '1970-01-01 00:00:01+00'],
    ['0', null],
  ],
  [
    'time(6)',
    'interval',
    [`'-838:59:59.999999'`, '-838:59:59.999999'],
    [`'838:59:59'`, '838:59:59'],
    [`'00:00:00'`, '00:00:00'],
    [`'12:30:00.25'`, '12:30:00.25'],
  ],
  ['char(8)', 'character varying(8)', [`'ab  '`, 'ab'], [`''`, '']],
  [
    'varchar(20)',
    'character varying(20)',
    [`'tab\\tnl\\ncr\\r\\\\ 💥'`, 'tab\tnl\ncr\r\\ 💥'],
    [`'\\\\N'`, '\\N'],
    [`'NULL'`, 'NULL'],
    [`'a\\0b\\0'`, 'ab'],
  ],
  ['varchar(0)', 'text', [`''`, '']],
  ['varchar(20) character set latin1', 'character varying(20)', [`'Zoë €'`, 'Zoë €']],
  [
    'varchar(20) character set sjis',
    'character varying(20)',
    [`'表'`, '表'],
    [`convert(x'eea1' using sjis)`, null],
  ],
  ['varchar(20) character set utf16', 'character varying(20)', [`'💥'`, '💥']],
  ['longtext', 'text', [`repeat('x\\t', 70000)`, 'x\t'.repeat(70_000)]],
  [
    'json',
    'json',
    [
      `'{"b" : 18014398509481982123,  "b":1e400, "u":"\\\\u0000"}'`,
      '{"b" : 18014398509481982123,  "b":1e400, "u":"\\u0000"}',
    ],
  ],
  [`enum('a,b','it''s','')`, 'text', [`'it''s'`, "it's"], [`'a,b'`, 'a,b']],
  [`set('x','y','z')`, 'text', [`'x,z'`, 'x,z'], [`''`, '']],
  ['varbinary(300)', 'bytea', [`unhex('000102ff5c090a')`, '\\x000102ff5c090a'], [`''`, '\\x']],
  ['binary(4)', 'bytea', [`x'ab'`, '\\xab000000']],
  ['longblob', 'bytea', [`repeat(x'ff', 70000)`, `\\x${'ff'.repeat(70_000)}`]],
  ['uuid', 'uuid', [`'123E4567-e89b-12d3-a456-426614174000'`, '123e4567-e89b-12d3-a456-426614174000']],
  ['inet6', 'text', [`'::FFFF:1.2.3.4'`, '::ffff:1.2.3.4']],
  [
    'point',
    'bytea',
    [`st_geomfromtext('point(1 2)', 4326)`, '\\x0101000020e6100000000000000000f03f0000000000000040'],
    [`point(1, 2)`, '\\x0101000000000000000000f03f0000000000000040'],
  ],
  [
    'geometry',
    'bytea',
    [
      `st_geomfromtext('geometrycollection(point(1 2))', 4326)`,
      '\\x0107000020e6100000010000000101000000000000000000f03f0000000000000040',
    ],
  ],
  ['bigint generated always as (id * 2) stored', 'bigint', ['default', '2']],
];

describeMariadb('bulk reads from MariaDB', () => {
  test('every value of every type arrives as PostgreSQL writes it', async () => {
    const height = Math.max(...matrix.map(([, , ...values]) => values.length));
    const definitions = matrix.map(([type], index) => `c${index} ${type}`);
    const rows = Array.from({ length: height }, (_, row) => {
      const values = matrix.map(
        ([type, , ...list]) => list[row]?.[0] ?? (/generated/.test(type) ? 'default' : 'null'),
      );
      return `(${row + 1}, ${values.join(', ')})`;
    });
    const both = await pair(
      `create table t (id bigint primary key, ${definitions.join(', ')}); insert into t values ${rows.join(', ')}`,
    );
    const { rows: found, warnings, table } = await arrived(both);
    expect(table.columns.slice(1).map(({ type }) => type)).toEqual(matrix.map(([, carrier]) => carrier));
    matrix.forEach(([type, , ...list], column) => {
      if (/generated/.test(type)) return;
      const expected = Array.from({ length: height }, (_, row) => list[row]?.[1] ?? null);
      const actual = found.map((row) => row[column + 1] ?? null);
      // What no Unicode character stands for is a question mark.
      if (/sjis/.test(type)) expected[1] = '?';
      expect(actual, type).toEqual(expected);
    });
    const named = (type: string) => `c${matrix.findIndex(([one]) => one === type)}`;
    expect(new Set(warnings)).toEqual(
      new Set([
        { column: named('date'), rule: 'zero_date_nulled', count: 5 },
        { column: named('datetime(6)'), rule: 'zero_date_nulled', count: 1 },
        { column: named('timestamp(6) null'), rule: 'zero_date_nulled', count: 1 },
        { column: named('varchar(20)'), rule: 'nul_removed', count: 1 },
        { column: named('varchar(20) character set sjis'), rule: 'invalid_text_replaced', count: 1 },
      ]),
    );
  });

  test('an obfuscated value is the digest that PostgreSQL makes of the same text', async () => {
    const kept = matrix.filter(([type]) => !/generated|sjis|zerofill/.test(type));
    const values = kept.map(([, , first]) => first?.[0]);
    const both = await pair(
      `create table t (id int primary key, ${kept.map(([type], index) => `c${index} ${type}`).join(', ')});
       insert into t values (1, ${values.join(', ')}); insert into t (id, c0) values (2, null);
       create table nul (id int primary key, c varchar(9)); insert into nul values (1, 'a\\0b')`,
    );
    const plain = await arrived(both);
    const salted = await arrived(both, { salt: 'sält' });
    const texts = plain.rows[0]?.slice(1) ?? [];
    const digests = await both.destination.query<{ digest: string | null }>(
      `select encode(sha256(convert_to($1 || t, 'utf8')), 'hex') as digest from unnest($2::text[]) with ordinality x (t, n) order by n`,
      ['sält', texts],
    );
    expect(salted.rows[0]?.slice(1)).toEqual(digests.map(({ digest }) => digest));
    expect(new Set(salted.rows[1]?.slice(1))).toEqual(new Set([null]));
    const [withoutNul] = await both.destination.query<{ digest: string }>(
      `select encode(sha256('xab'), 'hex') as digest`,
    );
    expect((await arrived(both, { salt: 'x' }, 'nul')).rows).toEqual([['1', withoutNul?.digest]]);
  });

  test('rows since a bound, ties and late ones included, and those without a time', async () => {
    const both = await pair(`
      create table t (id int primary key, at timestamp(6) null, n decimal(30,10), d date, w varchar(9));
      insert into t values (1, '2024-01-01 00:00:00.000001', 1, '2024-01-01', ''), (2, '2024-01-01 00:00:59.999999', 12345678901234567890.0000000001, '2024-01-02', ''),
        (3, '2024-01-01 00:01:00.000001', 2, '2024-01-03', ''), (4, '2024-01-01 00:01:00.000001', 12345678901234567890.0000000002, '0000-00-00', ''), (5, null, null, null, null)`);
    const table = await both.from.table(`${both.source.name}.t`, undefined);
    const since = async (field: string, from: string, overlapSeconds = 0) =>
      (await arrived(both, { tracking: { field, from, overlapSeconds } })).rows.map(([id]) => Number(id));
    const bound = await both.from.trackingBound?.(table, 'at');
    expect(bound).toBe('2024-01-01 00:01:00.000001');
    expect(await since('at', bound ?? '')).toEqual([3, 4, 5]);
    expect(await since('at', bound ?? '', 1)).toEqual([2, 3, 4, 5]);
    expect(await since('at', '2024-01-01T00:00:59.999999Z')).toEqual([2, 3, 4, 5]);
    expect(await both.from.trackingBound?.(table, 'n')).toBe('12345678901234567890.0000000002');
    expect(await since('n', '12345678901234567890.0000000002', 60)).toEqual([4, 5]);
    expect(await since('d', (await both.from.trackingBound?.(table, 'd')) ?? '', 86_400)).toEqual([2, 3, 5]);
    await expect(both.from.trackingBound?.(table, 'w')).rejects.toThrow(
      'w is varchar(9); only whole numbers',
    );
    await expect(since('at', 'yesterday')).rejects.toThrow('yesterday is not a value of at');
    await both.source.query('delete from t where id < 5');
    expect(await both.from.trackingBound?.(table, 'at')).toBeUndefined();
  });

  test('a time far in the future hides nothing that comes after it', async () => {
    const both = await pair(`create table t (id int primary key, at datetime null, d date);
      insert into t values (1, '2024-01-01', '2024-01-01'), (2, '2024-01-02', '2024-01-02'), (3, '9999-12-31', '9999-12-31')`);
    const table = await both.from.table(`${both.source.name}.t`, undefined);
    expect(await both.from.trackingBound?.(table, 'd')).toBe('2024-01-02');
    const from = (await both.from.trackingBound?.(table, 'at')) ?? '';
    await both.source.query(`insert into t values (4, '2024-01-03', null)`);
    const { rows } = await arrived(both, { tracking: { field: 'at', from, overlapSeconds: 0 } });
    expect(rows.map(([id]) => id)).toEqual(['2', '3', '4']);
  });

  test('a filter by any field of the table, chosen or not, with a bound beside it', async () => {
    const both =
      await pair(`create table t (id bigint unsigned primary key, w varchar(9), at datetime(6), secret text);
      insert into t values (1, 'a', '2024-01-01', 'x'), (18446744073709551615, 'A', '2024-01-02', 'x'), (3, null, null, 'y'), (4, 'a', '2024-01-03', 'y')`);
    const table = await both.from.table(`${both.source.name}.t`, ['id']);
    const ids = async (read: BulkRead) => {
      const rows = await both.from.read(table, 'copy-text', read);
      return (await rows.toArray()).join('').trim().split('\n');
    };
    const a = { field: 'w', function: 'Equality', value: 'a' } as const;
    const big = { field: 'id', function: 'Equality', value: '18446744073709551615' } as const;
    expect(await ids({ filter: a })).toEqual(['1', '4']);
    expect(await ids({ filter: { or: [big, { not: a }] } })).toEqual(['3', '18446744073709551615']);
    const tracking = { field: 'at', from: '2024-01-02', overlapSeconds: 0 };
    expect(await ids({ filter: a, tracking })).toEqual(['4']);
    const refused = both.from.read(table, 'copy-text', { filter: { ...a, field: 'nope' } });
    await expect(refused).rejects.toThrow('filter on nope');
  });

  test.each([
    ['bigint', 'cast(seq as signed) * 1000003 - 5000000000'],
    ['varchar(40) collate utf8mb4_general_ci', `concat('ké', md5(seq))`],
    ['datetime(6)', `'2024-01-01' + interval seq microsecond`],
    ['varbinary(16)', `unhex(md5(seq))`],
  ])('the ranges of a %s key have every row once', async (type, value) => {
    const both = await pair(
      `create table t (k ${type}, n int, primary key (k, n)); insert into t select ${value}, seq from seq_1_to_20000; analyze table t`,
    );
    const table = await both.from.table(`${both.source.name}.t`, undefined);
    const ranges = (await both.from.ranges?.(table, 3000)) ?? [];
    if (type.startsWith('varbinary')) {
      expect(ranges).toEqual([]);
      return;
    }
    expect(ranges.length).toBeGreaterThan(4);
    const load = await both.to.load(outputOf(table, 'copy', 't'), planOf());
    let rows = 0;
    for (const range of ranges) {
      const stored = JSON.parse(JSON.stringify(range));
      const part = await both.from.read(table, 'copy-text', { range: stored }).then(drained);
      expect(part.rows).toBeLessThan(6000);
      rows += part.rows;
    }
    await load.discard();
    expect(rows).toBe(20_000);
  });

  test('a key set by hand is cut along an index that it leads, NULLs included, and not at all without one', async () => {
    const both =
      await pair(`create table t (id int, k bigint, bare bigint, word varchar(40), key by_k (k), key by_word (word, id), key odd (id, bare));
      insert into t select seq, nullif(seq * 1000003, 1000003), seq * 1000003, nullif(md5(seq), md5(1)) from seq_1_to_20000; analyze table t;
      create table keyed (id int primary key, bare bigint, part varchar(40), key by_part (part(4)));
      insert into keyed select seq, seq * 1000003, md5(seq) from seq_1_to_20000; analyze table keyed`);
    const ranges = async (name: string, key: string, rows = 3000) => {
      const table = await both.from.table(`${both.source.name}.${name}`, undefined);
      return (await both.from.ranges?.({ ...table, primaryKey: [key] }, rows)) ?? [];
    };
    expect(await ranges('t', 'bare')).toEqual([]);
    expect(await ranges('keyed', 'bare')).toEqual([]);
    expect(await ranges('keyed', 'part')).toEqual([]);
    const table = await both.from.table(`${both.source.name}.t`, undefined);
    for (const key of ['k', 'word']) {
      const found = await ranges('t', key);
      expect(found.length).toBeGreaterThan(4);
      let rows = 0;
      for (const range of found) {
        rows += (await both.from.read(table, 'copy-text', { range }).then(drained)).rows;
      }
      expect(rows).toBe(20_000);
      const ids = found.map(({ id }) => id);
      expect((await ranges('t', key)).map(({ id }) => id)).toEqual(ids);
      expect(ids).not.toContain((await ranges('t', key, 9000))[0]?.id);
    }
    // No cut makes a value smaller that many rows share.
    await both.source.query('update t set k = (id % 10) * 100000000000000000; analyze table t');
    expect((await ranges('t', 'k', 1000)).length).toBeLessThan(200);
  });

  test('a row longer than any chunk, and a table of many rows, arrive whole', async () => {
    const both = await pair(`create table t (id int primary key, a longtext, b int);
      insert into t select seq, repeat('é', 4000000), seq from seq_1_to_2; insert into t select seq + 3, md5(seq), seq from seq_1_to_50000`);
    await arrived(both);
    const content = `select count(*) as n, sum(char_length(a)) as a, sum(b) as b`;
    const [expected] = await both.source.query(`${content} from t`);
    const [actual] = await both.destination.query(`${content} from copy.t`);
    expect(actual).toEqual(
      Object.fromEntries(Object.entries(expected ?? {}).map(([key, value]) => [key, String(value)])),
    );
  });

  test('a lost connection is told from a refusal, and leaving early ends the query', async () => {
    const both = await pair(
      `create table t (id int primary key, a text); insert into t select seq, repeat('x', 1000) from seq_1_to_100000`,
    );
    const table = await both.from.table(`${both.source.name}.t`, undefined);
    const running = () =>
      both.source.query<{ id: string }>(
        `select id from information_schema.processlist where db = ? and info like 'select \`id\`%'`,
        [both.source.name],
      );
    const rows = await both.from.read(table, 'copy-text', {});
    // The loss may be noticed before the next line runs.
    const lost = expect(new Promise((_, reject) => rows.once('error', reject))).rejects.toMatchObject({
      name: 'ConnectionLost',
    });
    await expect.poll(running).toHaveLength(1);
    await both.source.query(`kill ${(await running())[0]?.id}`);
    rows.resume();
    await lost;
    const left = await both.from.read(table, 'copy-text', {});
    await expect.poll(running).toHaveLength(1);
    left.destroy();
    await expect.poll(running, { timeout: 10_000 }).toHaveLength(0);
    await both.source.query('alter table t modify a longblob');
    await expect(both.from.read(table, 'copy-text', {})).rejects.toThrow('column a of');
    await both.source.query('drop table t');
    await expect(both.from.read(table, 'copy-text', {})).rejects.toMatchObject({ key: 'not_found' });
  });
});
