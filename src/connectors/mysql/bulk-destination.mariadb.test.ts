import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { planOf } from '../../../test/support/bulk-pair.ts';
import { describeMariadb } from '../../../test/support/mariadb.ts';
import { mariadbOutput, mariadbPair, mariadbTables, toMariadb } from '../../../test/support/mariadb-pair.ts';
import type { RowStream } from '../contract.ts';

/** A column of each type: what MariaDB makes of it, and of its values. */
const matrix: [type: string, made: string, ...values: [sql: string, text: string | null][]][] = [
  ['boolean', 'tinyint(1)', ['true', '1'], ['false', '0']],
  ['smallint', 'smallint(6)', ['-32768', '-32768']],
  ['integer', 'int(11)', ['-2147483648', '-2147483648']],
  ['bigint', 'bigint(20)', ['-9223372036854775808', '-9223372036854775808']],
  ['numeric(20,4)', 'decimal(20,4)', ['1234567890123456.7891', '1234567890123456.7891'], [`'NaN'`, null]],
  [
    'numeric',
    'decimal(65,30)',
    ['0.1', `0.1${'0'.repeat(29)}`],
    [`1${'0'.repeat(35)}`, null],
    [`'-Infinity'`, null],
    ['1e-31', null],
  ],
  ['numeric(80,2)', 'longtext', [`${'9'.repeat(78)}.99`, `${'9'.repeat(78)}.99`]],
  ['real', 'double', ['0.1', '0.1'], ['3.4028235e38', '3.4028235e38'], [`'NaN'`, null]],
  [
    'double precision',
    'double',
    ['5e-324', '5e-324'],
    ['1.7976931348623157e308', '1.7976931348623157e308'],
    [`'-Infinity'`, null],
  ],
  [
    'date',
    'date',
    [`'9999-12-31'`, '9999-12-31'],
    [`'0044-03-15 BC'`, null],
    [`'infinity'`, null],
    [`'10000-01-01'`, null],
  ],
  [
    'timestamp',
    'datetime(6)',
    [`'9999-12-31 23:59:59.999999'`, '9999-12-31 23:59:59.999999'],
    [`'-infinity'`, null],
    [`'0001-01-01'`, '0001-01-01 00:00:00.000000'],
  ],
  [
    'timestamptz',
    'datetime(6)',
    [`'1999-12-31 23:59:59.000001+05:30'`, '1999-12-31 18:29:59.000001'],
    [`'294276-12-31'`, null],
  ],
  ['time', 'time(6)', [`'24:00:00'`, '24:00:00.000000'], [`'00:00:00.000001'`, '00:00:00.000001']],
  ['timetz', 'longtext', [`'12:00:00.5-03'`, '12:00:00.5-03']],
  ['interval', 'longtext', [`'1 year -2 mons 3 days 00:00:00.000001'`, '10 mons 3 days 00:00:00.000001']],
  [
    'text',
    'longtext',
    [
      `E'tab\\t nl\\n cr\\r vt\\v ff\\f bs\\b back\\\\slash \\\\v "q" 💥 \\\\N'`,
      'tab\t nl\n cr\r vt\v ff\f bs\b back\\slash \\v "q" 💥 \\N',
    ],
    [`''`, ''],
    [`'\\N'`, '\\N'],
  ],
  ['varchar(20)', 'varchar(20)', [`E'a\\tb'`, 'a\tb']],
  ['varchar(300)', 'longtext', [`'x '`, 'x ']],
  ['char(6)', 'longtext', [`'ab'`, 'ab    ']],
  ['bytea', 'longblob', [`'\\x00ff0a5c09'`, '00FF0A5C09'], [`''`, '']],
  ['bit(5)', 'bit(5)', [`b'10101'`, '15']],
  ['bit varying', 'longtext', [`b'1'`, '1']],
  [
    'json',
    'longtext',
    [`'{"a" : 1,  "a":2, "b":1e400, "c":"\\u0000"}'`, '{"a" : 1,  "a":2, "b":1e400, "c":"\\u0000"}'],
  ],
  ['uuid', 'char(36)', [`'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'`, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']],
  ['inet', 'longtext', [`'::1/64'`, '::1/64']],
  ['text[]', 'longtext', [`'{"a,b",NULL,"\\"q\\"",""}'`, '{"a,b",NULL,"\\"q\\"",""}']],
  ['int4range', 'longtext', [`'[1,10)'`, '[1,10)']],
];

const own = { syncedAt: '_tidemark_synced_at', deletedAt: '_tidemark_deleted_at' };

describeMariadb('bulk writes to MariaDB', () => {
  test.each(['allowed', 'forbidden'])(
    'every value of every type arrives, or is counted: LOAD DATA LOCAL %s',
    async (local) => {
      const height = Math.max(...matrix.map(([, , ...values]) => values.length));
      const rows = Array.from({ length: height }, (_, row) => {
        return `(${row + 1}, ${matrix.map(([, , ...list]) => list[row]?.[0] ?? 'null').join(', ')})`;
      });
      const pair = await mariadbPair(
        `create table t (id bigint primary key, ${matrix.map(([type], index) => `c${index} ${type}`).join(', ')}); insert into t values ${rows.join(', ')}`,
      );
      const { destination } = pair;
      if (local === 'forbidden') await destination.query('set global local_infile = 0');
      const { warnings, ...counts } = await toMariadb(pair, 't').finally(() =>
        destination.query('set global local_infile = 1'),
      );
      expect(counts).toEqual({ rows: height, inserted: height, changes: [] });
      const types = await destination.query<{ type: string }>(
        `select column_type as type from information_schema.columns where table_schema = ? and table_name = 't' order by ordinal_position`,
        [destination.name],
      );
      expect(types.slice(1).map(({ type }) => type)).toEqual(matrix.map(([, made]) => made));
      const list = matrix.map(([, made], index) =>
        /blob|bit/.test(made) ? `hex(c${index})` : `cast(c${index} as char)`,
      );
      const found = await destination.query(
        `select ${list.map((sql, index) => `${sql} as c${index}`).join(', ')} from t order by id`,
      );
      matrix.forEach(([type, , ...values], column) => {
        const expected = Array.from({ length: height }, (_, row) => values[row]?.[1] ?? null);
        expect(
          found.map((row) => row[`c${column}`]),
          type,
        ).toEqual(expected);
      });
      const named = (type: string) => `c${matrix.findIndex(([one]) => one === type)}`;
      expect(new Set(warnings)).toEqual(
        new Set([
          { column: named('numeric(20,4)'), rule: 'not_finite_nulled', count: 1 },
          { column: named('numeric'), rule: 'number_out_of_range_nulled', count: 2 },
          { column: named('numeric'), rule: 'not_finite_nulled', count: 1 },
          { column: named('real'), rule: 'not_finite_nulled', count: 1 },
          { column: named('double precision'), rule: 'not_finite_nulled', count: 1 },
          { column: named('date'), rule: 'date_out_of_range_nulled', count: 3 },
          { column: named('timestamp'), rule: 'date_out_of_range_nulled', count: 1 },
          { column: named('timestamptz'), rule: 'date_out_of_range_nulled', count: 1 },
        ]),
      );
    },
  );

  test('a merge writes the rows that are new or other, and no other; the missing are marked or removed', async () => {
    const pair = await mariadbPair(`create table t (id text primary key, a text, n numeric(10,2), b bytea);
      insert into t values ('a', 'x', 1, '\\x00'), ('A', 'y', 2, null), ('a ', 'z', 3, '\\xff'), ('é', null, null, null)`);
    const written = async () =>
      (
        await pair.destination.query<{ id: string; late: number; deleted: number }>(
          `select id, _tidemark_synced_at = (select max(_tidemark_synced_at) from t) as late, _tidemark_deleted_at is not null as deleted from t order by id`,
        )
      ).map(({ id, late, deleted }) => `${id}|${late}|${deleted}`);
    const merge = (missing?: 'mark' | 'remove') =>
      toMariadb(pair, 't', { mode: 'merge', ...(missing === undefined ? {} : { missing }) }, own);
    expect(await merge('mark')).toMatchObject({ rows: 4, inserted: 4, changes: [] });
    expect(await merge('mark')).toMatchObject({ inserted: 0, updated: 0, deleted: 0 });
    await pair.source.query(
      `update t set a = 'X' where id = 'a'; update t set b = '\\x01' where id = 'A'; delete from t where id = 'é'; insert into t values ('E', null, null, null)`,
    );
    expect(await merge('mark')).toMatchObject({ inserted: 1, updated: 2, deleted: 1 });
    expect(await written()).toEqual(['A|1|0', 'E|1|0', 'a|1|0', 'a |0|0', 'é|1|1']);
    await pair.source.query(`insert into t values ('é', null, null, null); delete from t where id = 'a '`);
    expect(await merge()).toMatchObject({ inserted: 0, updated: 1, deleted: 0 });
    expect(await merge('remove')).toMatchObject({ inserted: 0, updated: 0, deleted: 1 });
    expect(await written()).toHaveLength(4);
    expect(await mariadbTables(pair)).toEqual(['t']);
  });

  test('columns come and widen; a type that holds neither is refused before and names what to do', async () => {
    const pair =
      await mariadbPair(`create table t (id int primary key, small smallint, price numeric(10,2), word varchar(3), gone text, r real);
      insert into t values (1, 2, 1.10, 'abc', 'kept', 0.1)`);
    await toMariadb(pair, 't', { mode: 'merge' });
    await pair.source.query(`alter table t alter id type bigint, alter small type int, alter price type numeric(14,4), alter word type text, drop gone, add extra jsonb default '{}';
      insert into t values (9007199254740993, 70000, 0.0001, 'longer', 1)`);
    expect((await toMariadb(pair, 't', { mode: 'merge' })).changes).toEqual([
      'column id widened from int to bigint',
      'column small widened from smallint to int',
      'column price widened from decimal(10,2) to decimal(14,4)',
      'column word widened from varchar(3) to longtext',
      'column extra added as longtext',
      'column gone is not in the source any more: it stays, empty in new rows',
    ]);
    expect(
      await pair.destination.query('select id, small, price, word, gone, extra from t order by id'),
    ).toEqual([
      { id: '1', small: 2, price: '1.1000', word: 'abc', gone: 'kept', extra: '{}' },
      { id: '9007199254740993', small: 70000, price: '0.0001', word: 'longer', gone: null, extra: '{}' },
    ]);
    await pair.source.query('alter table t alter small type timestamptz using now()');
    await expect(
      mariadbOutput(pair, 't').then((output) => pair.to.load(output, planOf({ mode: 'merge' }))),
    ).rejects.toThrow(
      `column small is int in ${pair.destination.name}.t and comes as datetime(6), and neither type holds every value of the other: run it with resync_mode rebuild`,
    );
  });

  test('the position is that of the table as it is', async () => {
    const pair = await mariadbPair('create table t (id int primary key); insert into t values (1)');
    const target = { schema: pair.destination.name, name: 't' };
    const merge = (position: object) => toMariadb(pair, 't', { mode: 'merge' }, {}, position);
    expect(await pair.to.standing(target)).toBeUndefined();
    await merge({ at: '1' });
    await merge({ at: '2' });
    expect(await pair.to.standing(target)).toEqual({ position: { at: '2' } });
    // Read as not there, and written by somebody else since.
    await expect(toMariadb(pair, 't', { mode: 'merge', expects: null })).rejects.toThrow(
      'was written by another execution',
    );
    await toMariadb(pair, 't', {}, {}, { at: '3' });
    expect(await pair.to.standing(target)).toEqual({ position: { at: '3' } });
    await toMariadb(pair, 't', { truncate: true }, {}, { at: '4' });
    expect(await pair.to.standing(target)).toEqual({ position: { at: '4' } });
    await pair.destination.query('rename table t to old; create table t (id int primary key)');
    expect(await pair.to.standing(target)).toMatchObject({ stranger: "it is a table of somebody else's" });
    await expect(merge({ at: '5' })).rejects.toMatchObject({ key: 'not_ours' });
    await toMariadb(pair, 't', { mode: 'merge', strangers: 'adopt' }, {}, { at: '5' });
    expect(await pair.to.standing(target)).toEqual({ position: { at: '5' } });
  });

  test('what hangs on a table is refused by name, or survives when the table is emptied and filled', async () => {
    const pair = await mariadbPair(
      'create table t (id int primary key, a text); insert into t values (1, $$x$$), (2, $$x$$)',
    );
    await toMariadb(pair, 't');
    await pair.destination.query(
      `create view report as select * from t; create table child (id int, foreign key (id) references t (id)); insert into child values (1)`,
    );
    await expect(toMariadb(pair, 't')).rejects.toThrow(
      `because the foreign key of ${pair.destination.name}.child hangs on it`,
    );
    await pair.source.query(
      `update t set a = 'y'; delete from t where id = 2; insert into t values (3, 'z')`,
    );
    expect(await toMariadb(pair, 't', { truncate: true })).toMatchObject({
      inserted: 1,
      updated: 1,
      deleted: 1,
    });
    await pair.destination.query('drop table child');
    expect(await toMariadb(pair, 't', { truncate: true })).toMatchObject({ inserted: 2 });
    await pair.source.query(`insert into t values (4, 'w')`);
    await toMariadb(pair, 't');
    expect(await pair.destination.query('select id from report order by id')).toEqual([
      { id: 1 },
      { id: 3 },
      { id: 4 },
    ]);
    await expect(toMariadb(pair, 't', {}, { name: 'report' })).rejects.toThrow('is not a plain table');
  });

  test('a key that is repeated, NULL or too long, a value that does not fit, and names that MySQL lacks are said in words', async () => {
    const pair = await mariadbPair(
      `create table t (id int, a text); insert into t values (1, 'x'), (1, 'y')`,
    );
    const keyed = { primaryKey: ['id'] };
    await expect(toMariadb(pair, 't', {}, keyed)).rejects.toThrow(
      `The key (id) of ${pair.destination.name}.t has a value twice`,
    );
    await pair.source.query(`update t set id = null where a = 'x'`);
    await expect(toMariadb(pair, 't', {}, keyed)).rejects.toThrow('id, in the key (id)');
    await pair.source.query(`update t set a = repeat('k', 800)`);
    await expect(toMariadb(pair, 't', {}, { primaryKey: ['a'] })).rejects.toThrow('a, in the key (a)');
    await expect(toMariadb(pair, 't', {}, { name: 'emoji 💥' })).rejects.toThrow('MySQL takes no emoji');
    expect(await mariadbTables(pair)).toEqual([]);
    await toMariadb(pair, 't', {}, { name: "od.d `na'me`" });
    expect(await mariadbTables(pair)).toEqual(["od.d `na'me`"]);
  });

  test('ranges that are stored stay for the run that takes over, and only for it', async () => {
    const pair = await mariadbPair(
      `create table t as select i as id, md5(i::text) as a from generate_series(1, 20000) i; alter table t add primary key (id)`,
    );
    const table = await pair.from.table('public.t', undefined);
    const output = await mariadbOutput(pair, 't');
    const [first, second, ...others] = (await pair.from.ranges?.(table, 4000)) ?? [];
    if (first === undefined || second === undefined) throw new Error('no ranges');
    const plan = planOf({ ranged: true });
    const stalled = await pair.to.load(output, plan);
    const write = async (load: typeof stalled, range: typeof first) =>
      (await load.write(await pair.from.read(table, 'copy-text', { range }), 'copy-text', range)).rows;
    const stored = await write(stalled, first);
    expect(await write(stalled, first)).toBe(stored);

    const hanging = stalled.write(new Readable({ read() {} }) as RowStream, 'copy-text', second);
    const lost = expect(hanging).rejects.toMatchObject({ name: 'ConnectionLost' });
    await expect
      .poll(() =>
        pair.destination.query(
          `select 1 from information_schema.processlist where db = ? and info like 'load data%'`,
          [pair.destination.name],
        ),
      )
      .toHaveLength(1);
    const load = await pair.to.load(output, plan);
    await lost;
    expect([...load.stored]).toEqual([[first.id, stored]]);
    await expect(write(stalled, second)).rejects.toThrow('was taken over by another worker');
    await expect(stalled.commit({})).rejects.toMatchObject({ name: 'ConnectionLost' });
    await stalled.discard();
    await Promise.all([second, ...others].map((range) => write(load, range)));
    expect(await load.commit({ done: true })).toEqual({ rows: 20_000, inserted: 20_000, changes: [] });
    const sum = `select count(*) as n, md5(group_concat(md5(concat(id, a)) order by id separator '')) as h from t`;
    const [theirs] = await pair.source.query<{ n: string; h: string }>(
      `select count(*)::text as n, md5(string_agg(md5(id || a), '' order by id)) as h from t`,
    );
    const [ours] = await pair.destination.query<{ n: number; h: string }>(
      `set session group_concat_max_len = 100000000; ${sum}`,
    );
    expect({ n: String(ours?.n), h: ours?.h }).toEqual(theirs);

    const left = await pair.to.load(output, plan);
    await write(left, first);
    await left.abort();
    const hidden = output.columns.map((column) =>
      column.name === 'a' ? { ...column, obfuscated: true } : column,
    );
    const obfuscated = await pair.to.load({ ...output, columns: hidden }, plan);
    expect(obfuscated.stored.size).toBe(0);
    await write(obfuscated, first);
    await obfuscated.abort();
    const other = await pair.to.load(output, planOf({ ranged: true, executionId: crypto.randomUUID() }));
    expect(other.stored.size).toBe(0);
    await other.discard();
    expect(await mariadbTables(pair)).toEqual(['t']);
  });
});
