import { expect, test } from 'vitest';
import {
  connectTo,
  outputOf,
  type Pair,
  pair,
  planOf,
  type Replication,
  replicate,
  tablesOf,
} from '../../../test/support/bulk-pair.ts';
import { contentHash } from '../../../test/support/content-hash.ts';

const own = { syncedAt: '_tidemark_synced_at', deletedAt: '_tidemark_deleted_at' };
const merge: Replication = { plan: { mode: 'merge' }, output: own };
const full: Replication = { plan: { mode: 'merge', missing: 'mark' }, output: own };

const written = async ({ destination }: Pair) =>
  destination.query(`
    select id::text, _tidemark_synced_at >= (select max(_tidemark_synced_at) from copy.t) as last,
      _tidemark_deleted_at is not null as deleted from copy.t order by t.id`);

test('a merge writes the rows that are new or other, and no other', async () => {
  const both = await pair(`
    create table t (id bigint primary key, j json, n numeric, x xml, p point, c char(4));
    insert into t select i, '{"a": 1}', 1.0, '<a/>', '(1,2)', 'ab' from generate_series(1, 6) i`);
  expect(await replicate(both, 'public.t', merge)).toEqual({ rows: 6, inserted: 6, changes: [] });
  expect(await replicate(both, 'public.t', merge)).toMatchObject({ inserted: 0, updated: 0, deleted: 0 });
  await both.source.query(`
    update t set j = '{"a":1}' where id = 1; update t set n = 1.00 where id = 2; update t set x = null where id = 3;
    delete from t where id in (4, 5); insert into t (id) values (7)`);
  expect(await replicate(both, 'public.t', merge)).toEqual({
    ...{ rows: 5, inserted: 1, updated: 3, deleted: 0, changes: [] },
  });
  expect((await written(both)).filter(({ last }) => last).map(({ id }) => id)).toEqual(['1', '2', '3', '7']);
  expect(
    (await both.destination.query('select j::text, n::text from copy.t order by id')).slice(0, 2),
  ).toEqual([
    { j: '{"a":1}', n: '1.0' },
    { j: '{"a": 1}', n: '1.00' },
  ]);
});

test('rows the source does not have any more are marked, and unmarked when they are back; or removed', async () => {
  const both = await pair(
    'create table t (id int primary key, a text unique); insert into t values (1, $$x$$), (2, $$y$$), (3, $$z$$)',
  );
  await replicate(both, 'public.t', full);
  await both.destination.query('alter table copy.t add unique (a)');
  await both.source.query('delete from t where id < 3');
  expect(await replicate(both, 'public.t', full)).toMatchObject({ inserted: 0, updated: 0, deleted: 2 });
  expect(await replicate(both, 'public.t', full)).toMatchObject({ inserted: 0, updated: 0, deleted: 0 });
  expect(await written(both)).toEqual([
    { id: '1', last: true, deleted: true },
    { id: '2', last: true, deleted: true },
    { id: '3', last: false, deleted: false },
  ]);
  await both.source.query(`insert into t values (1, 'x')`);
  expect(await replicate(both, 'public.t', merge)).toMatchObject({ inserted: 0, updated: 1, deleted: 0 });
  expect((await written(both)).map(({ deleted }) => deleted)).toEqual([false, true, false]);
  // Another row has taken over the value of a unique column.
  await both.source.query(`delete from t where id = 3; insert into t values (4, 'z')`);
  const remove: Replication = { plan: { mode: 'merge', missing: 'remove' } };
  expect(await replicate(both, 'public.t', remove)).toMatchObject({ inserted: 1, updated: 0, deleted: 2 });
  expect(await both.destination.query('select id, a from copy.t order by id')).toEqual([
    { id: 1, a: 'x' },
    { id: 4, a: 'z' },
  ]);
});

test('readers of the table neither wait for a merge nor see half of it', async () => {
  const both = await pair(
    'create table t as select i as id, 0 as a from generate_series(1, 1000) i; alter table t add primary key (id)',
  );
  await replicate(both, 'public.t', full);
  const reader = await connectTo(both.destination)('reader');
  await reader.query('begin isolation level repeatable read; select from copy.t limit 1');
  await both.source.query('update t set a = 1; delete from t where id <= 10; insert into t values (0, 1)');
  expect(await replicate(both, 'public.t', full)).toMatchObject({ inserted: 1, updated: 990, deleted: 10 });
  const seen =
    'select count(*)::int as rows, sum(a)::int as a, count(_tidemark_deleted_at)::int as gone from copy.t';
  expect((await reader.query(seen)).rows).toEqual([{ rows: 1000, a: 0, gone: 0 }]);
  await reader.end();
  expect(await both.destination.query(seen)).toEqual([{ rows: 1001, a: 991, gone: 10 }]);
});

test('the position is that of the table as it is: one that was recreated has none', async () => {
  const both = await pair('create table t (id int primary key); insert into t values (1)');
  const target = { schema: 'copy', name: 't' };
  expect(await both.to.standing(target)).toBeUndefined();
  await replicate(both, 'public.t', { ...merge, position: { at: '1' } });
  expect(await both.to.standing(target)).toEqual({ position: { at: '1' } });
  expect(await both.to.standing({ ...target, name: 'u' })).toBeUndefined();
  await replicate(both, 'public.t', { ...merge, position: { at: '2' } });
  await replicate(both, 'public.t', { position: { at: '3' } });
  expect(await both.to.standing(target)).toEqual({ position: { at: '3' } });

  const table = await both.from.table('public.t', undefined);
  const aborted = await both.to.load({ ...outputOf(table), ...own }, planOf(merge.plan));
  await aborted.write(await both.from.read(table, 'pg-binary', {}), 'pg-binary');
  await aborted.abort();
  expect(await both.to.standing(target)).toEqual({ position: { at: '3' } });

  await both.destination.query('alter table copy.t rename to old; create table copy.t (id int primary key)');
  expect(await both.to.standing(target)).toMatchObject({ stranger: "it is a table of somebody else's" });
  await expect(replicate(both, 'public.t', merge)).rejects.toMatchObject({ key: 'not_ours' });
  await both.destination.query('drop table copy.t; alter table copy.old rename to t');
  expect(await both.to.standing(target)).toEqual({ position: { at: '3' } });
  await both.destination.query('drop table copy.t');
  expect(await both.to.standing(target)).toBeUndefined();
  await replicate(both, 'public.t', { ...merge, position: { at: '4' } });
  expect(await both.to.standing(target)).toEqual({ position: { at: '4' } });
});

test('new columns come, dropped ones stay, retyped ones are widened; all of it is reported once', async () => {
  const both = await pair(`
    create table t (id int primary key, gone text, small smallint, price numeric(10, 2), word varchar(3), day date, letters char(4), ids int[], narrow bigint, r real);
    insert into t values (1, 'kept', 32767, 1.10, 'abc', '2024-02-29', 'ab', '{1,NULL}', 5, 0.1)`);
  await replicate(both, 'public.t', full);
  await both.source.query(`
    alter table t rename gone to renamed; alter table t add "new ""one""" jsonb default '{}';
    alter table t alter id type bigint, alter small type numeric(7, 1), alter price type numeric(14, 4), alter word type text,
      alter day type timestamp, alter letters type varchar(9), alter ids type bigint[], alter narrow type smallint, alter r type double precision;
    insert into t values (9007199254740993, 'x', 123456.7, 0.0001, 'longer', '2024-02-29 12:00:00.000001', 'longer', '{9007199254740993}', 6, 1e300)`);
  const { changes, ...counts } = await replicate(both, 'public.t', full);
  expect(counts).toEqual({ rows: 2, inserted: 1, updated: 1, deleted: 0 });
  expect(changes).toEqual([
    'column renamed added as text',
    'column new "one" added as jsonb',
    'column id widened from integer to bigint',
    'column small widened from smallint to numeric(7,1)',
    'column price widened from numeric(10,2) to numeric(14,4)',
    'column word widened from character varying(3) to text',
    'column day widened from date to timestamp without time zone',
    'column letters widened from character(4) to character varying(9)',
    'column ids widened from integer[] to bigint[]',
    'column r widened from real to double precision',
    'column gone is not in the source any more: it stays, empty in new rows',
  ]);
  const columns = 'id, renamed, small, price, word, day, letters, ids, narrow::bigint, r, "new ""one"""';
  await both.destination.query(`create view copy.same as select ${columns} from copy.t`);
  await both.source.query(`create view same as select ${columns} from t`);
  expect(await contentHash(both.destination, 'copy.same')).toEqual(await contentHash(both.source, 'same'));
  expect(await both.destination.query('select gone from copy.t order by id')).toEqual([
    { gone: 'kept' },
    { gone: null },
  ]);
  expect((await replicate(both, 'public.t', full)).changes).toEqual([]);
});

test('a column whose type holds neither what is there nor what comes fails the table, before and after its rows', async () => {
  const both = await pair(
    'create table t (id int primary key, a int, b timestamp); insert into t values (1, 2)',
  );
  await replicate(both, 'public.t', merge);
  await both.source.query('alter table t alter a type double precision, alter b type timestamptz');
  await both.source.query('alter table t alter a type real');
  await expect(replicate(both, 'public.t', merge)).rejects.toThrow(
    'column a is integer in copy.t and real in the source; column b is timestamp without time zone in copy.t and ' +
      'timestamp with time zone in the source, and neither type holds every value of the other: run it with resync_mode rebuild',
  );
  await both.source.query('alter table t alter a type bigint, drop b');
  const table = await both.from.table('public.t', undefined);
  const load = await both.to.load({ ...outputOf(table), ...own }, planOf(merge.plan));
  await load.write(await both.from.read(table, 'pg-binary', {}), 'pg-binary');
  await both.destination.query('create view copy.report as select a from copy.t');
  await expect(load.commit({ at: 'never' })).rejects.toThrow(
    /^column a widened from integer to bigint is what copy\.t needs, but .*view copy\.report depends on column "a"$/,
  );
  expect(await both.destination.query('select id, a from copy.t')).toEqual([{ id: 1, a: 2 }]);
  expect(await both.to.standing({ schema: 'copy', name: 't' })).toEqual({ position: {} });
});

test('a key that is missing, NULL, repeated or not unique in the table is said in words', async () => {
  const both = await pair('create table t (id int, a int); insert into t values (1, 1), (1, 2)');
  const keyed = { ...merge, output: { ...own, primaryKey: ['id'] } };
  await expect(replicate(both, 'public.t', keyed)).rejects.toThrow(
    'The key (id) of copy.t has a value twice',
  );
  await replicate(both, 'public.t');
  await expect(replicate(both, 'public.t', merge)).rejects.toThrow('copy.t has no key');
  await expect(replicate(both, 'public.t', keyed)).rejects.toThrow(
    'The key (id) of copy.t has a value twice',
  );
  await both.source.query('delete from t where a = 2');
  await expect(replicate(both, 'public.t', keyed)).rejects.toThrow(
    'copy.t has no unique index on its key (id)',
  );
  await both.source.query('insert into t values (null, 3)');
  await expect(replicate(both, 'public.t', keyed)).rejects.toThrow(
    'id, in the key (id) of copy.t, is NULL in some row',
  );
  expect(await both.destination.query('select count(*)::int as rows from copy.t')).toEqual([{ rows: 2 }]);
  expect(await tablesOf(both.destination)).toEqual(['copy.t']);
});

test('a column of the source with the name of one of ours is refused', async () => {
  const both = await pair('create table t (id int primary key, _tidemark_synced_at timestamptz)');
  await expect(replicate(both, 'public.t', full)).rejects.toThrow('set advanced.record_column_prefix');
});

test('what hangs on a table survives when it is emptied and filled', async () => {
  const both = await pair(`create table t (id int, a text); insert into t values (1, 'x'), (1, 'x')`);
  const refill: Replication = { plan: { truncate: true }, output: { syncedAt: own.syncedAt } };
  await replicate(both, 'public.t', refill);
  await both.destination.query(
    'create view copy.report as select id, a from copy.t; create index on copy.t (a); alter table copy.t add comment text',
  );
  await both.source.query(`update t set a = 'y'; insert into t values (2, null); alter table t add b int[]`);
  expect(await replicate(both, 'public.t', refill)).toEqual({
    rows: 3,
    inserted: 3,
    changes: ['column b added as integer[]'],
  });
  expect(await both.destination.query('select * from copy.report order by 1')).toEqual([
    { id: 1, a: 'y' },
    { id: 1, a: 'y' },
    { id: 2, a: null },
  ]);
  expect(await both.destination.query('select from copy.t where _tidemark_synced_at is null')).toEqual([]);
  expect(await both.destination.query(`select from pg_indexes where tablename = 't'`)).toHaveLength(1);
});

test('a table that foreign keys refer to is filled without being emptied', async () => {
  const both = await pair(
    `create table t (id int primary key, a text); insert into t values (1, 'x'), (2, 'x')`,
  );
  await replicate(both, 'public.t', { output: own });
  await both.destination.query(
    'create table copy.child (id int references copy.t on delete cascade); insert into copy.child values (1)',
  );
  await both.source.query(`update t set a = 'y'; delete from t where id = 2; insert into t values (3, null)`);
  const refill: Replication = { plan: { truncate: true }, output: own };
  expect(await replicate(both, 'public.t', refill)).toMatchObject({ inserted: 1, updated: 1, deleted: 1 });
  expect(await both.destination.query('select id, a from copy.t order by 1')).toEqual([
    { id: 1, a: 'y' },
    { id: 3, a: null },
  ]);
  expect(await both.destination.query('select id from copy.child')).toEqual([{ id: 1 }]);
});

test('a table that was written since its position was read is not merged into: the rows there are another sync’s', async () => {
  const both = await pair('create table t (id int primary key); insert into t values (1)');
  const table = await both.from.table('public.t', undefined);
  const late = planOf({ mode: 'merge', missing: 'remove', expects: null });
  const first = await both.to.load(outputOf(table), planOf({ mode: 'merge', expects: null }));
  await first.write(await both.from.read(table, 'pg-binary', {}), 'pg-binary');
  await first.commit({ sync: 'one' });
  await expect(both.to.load(outputOf(table), late)).rejects.toThrow('was written by another execution');
  const ranged = { ...late, ranged: true };
  await expect(both.to.load(outputOf(table), ranged)).rejects.toThrow('was written by another execution');
  const known = await both.to.load(outputOf(table), { ...late, expects: { sync: 'one' } });
  await known.abort();
  expect(await both.destination.query('select id from copy.t')).toEqual([{ id: 1 }]);
});
