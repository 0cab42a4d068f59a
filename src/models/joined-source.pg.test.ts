import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import { random } from '../../test/support/random.ts';
import { until } from '../../test/support/until.ts';
import type { FixedExpression } from '../conditions/index.ts';
import { openDatabase } from '../db/index.ts';
import { createModel, type Model, openModelSource, relatedName } from './index.ts';

let world: ModelSyncs;

beforeAll(async () => {
  world = await startModelSyncs();
});
afterAll(() => world?.[Symbol.asyncDispose]());

const newModel = (table: string, identifier: string | null, relations: [string, Model, string][]) =>
  createModel(world.deps, world.organizationId, world.actor, {
    name: table,
    connection_id: world.sourceId,
    configuration: { table: `public.${table}` },
    identifier,
    relations: relations.map(([from, { id }, field]) => ({ from, to: { model_id: id, field } })),
  });

type Row = Record<string, string | null>;

/** What a reader of docs/models.md would do by hand. */
const compared = {
  number: (text: string) => (/^-?(0|[1-9]\d*)(\.\d+)?$/.test(text) ? String(Number(text)) : undefined),
  uuid: (text: string) => text.toLowerCase().replaceAll('-', ''),
  text: (text: string) => text,
};
type Pair = [from: string, to: string, as: keyof typeof compared];

function partner(row: Row | undefined, others: Row[], on: Pair[], smallest: (a: Row, b: Row) => number) {
  const fits = (other: Row) =>
    on.every(([from, to, as]) => {
      const [left, right] = [row?.[from] ?? null, other[to] ?? null];
      if (left === null || right === null) return false;
      const read = compared[as](left);
      return read !== undefined && read === compared[as](right);
    });
  return others.filter(fits).sort(smallest)[0];
}

test.each([1, 2, 3, 4, 5, 6])(
  'random models, relations and filters, seed %i: as a naive join',
  async (seed) => {
    const next = random(seed);
    const oneOf = <One>(...values: One[]): One => values[Math.floor(next() * values.length)] as One;
    const uuids = ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'];
    const quoted = (value: string | null) => (value === null ? 'null' : `'${value}'`);
    const rows = (most: number, make: (index: number) => (string | null)[]) =>
      Array.from(
        { length: 1 + Math.floor(next() * most) },
        (_, index) => `(${make(index).map(quoted).join(', ')})`,
      );
    const value = () => oneOf<string | null>('x', 'y', '', 'tab\there', 'back\\slash', null);
    await world.source.query(`
    drop table if exists a, b, c;
    create table a (id int, b_key text, c_key text, v text);
    create table b (id numeric, key numeric, c_key text, c_no int, v text);
    create table c (key uuid, no text, v text);
    insert into a values ${rows(30, (index) => [String(index), oneOf('1', '1.0', '2', '03', '10', '', null), oneOf(uuids[0] ?? '', uuids[1] ?? '', null), value()]).join(', ')};
    insert into b values ${rows(12, (index) => [String(20 - index), oneOf('1', '2.00', '3', '10', null), oneOf((uuids[0] ?? '').toUpperCase(), uuids[1] ?? '', 'none', null), oneOf('1', '2', null), value()]).join(', ')};
    insert into c values ${rows(6, () => [oneOf(uuids[0] ?? '', uuids[1] ?? '', null), oneOf('1', '2', '01', null), value()]).join(', ')}`);
    const ids = { b: oneOf<string | null>('id', null), direct: next() < 0.5 };
    const c = await newModel('c', null, []);
    const b = await newModel('b', ids.b, [
      ['c_key', c, 'key'],
      ['c_no', c, 'no'],
    ]);
    const direct: Parameters<typeof newModel>[2] = ids.direct ? [['c_key', c, 'key']] : [];
    const a = await newModel('a', 'id', [['b_key', b, 'key'], ...direct]);

    const fields = [
      'v',
      'id',
      relatedName(c.id, 'v'),
      relatedName(b.id, 'v'),
      relatedName(c.id, 'no'),
      relatedName(b.id, 'id'),
    ];
    const tests: [FixedExpression, (one: Joined) => boolean][] = [
      [{ field: relatedName(b.id, 'v'), function: 'Equality', value: 'x' }, ({ b }) => b?.v === 'x'],
      [
        { field: relatedName(c.id, 'v'), function: 'IsNull', value: null },
        ({ c }) => (c?.v ?? null) === null,
      ],
      [
        { field: relatedName(b.id, 'id'), function: 'GreaterThan', value: 12 },
        ({ b }) => Number(b?.id ?? 0) > 12,
      ],
      [{ field: 'v', function: 'StringOneOf', value: ['x', ''] }, ({ a }) => a.v === 'x' || a.v === ''],
    ];
    interface Joined {
      a: Row;
      b: Row | undefined;
      c: Row | undefined;
    }
    const build = (depth: number): (typeof tests)[number] => {
      if (depth === 0 || next() < 0.3) return oneOf(...tests);
      const [one, other] = [build(depth - 1), build(depth - 1)];
      return oneOf<(typeof tests)[number]>(
        [{ and: [one[0], other[0]] }, (row) => one[1](row) && other[1](row)],
        [{ or: [one[0], other[0]] }, (row) => one[1](row) || other[1](row)],
        [{ not: one[0] }, (row) => !one[1](row)],
      );
    };
    const [filter, holds] = next() < 0.2 ? [undefined, () => true] : build(3);

    const read = async (table: string, columns: string[]) =>
      world.source.query<Row>(`select ${columns.map((name) => `${name}::text`).join(', ')} from ${table}`);
    const [as, bs, cs] = [
      await read('a', ['id', 'b_key', 'c_key', 'v']),
      await read('b', ['id', 'key', 'c_key', 'c_no', 'v']),
      await read('c', ['key', 'no', 'v']),
    ];
    const nullsLast = (one: string | null | undefined, other: string | null | undefined) =>
      one === other
        ? 0
        : one == null
          ? 1
          : other == null
            ? -1
            : Buffer.compare(Buffer.from(one), Buffer.from(other));
    const byContent =
      (...names: string[]) =>
      (one: Row, other: Row) => {
        const pack = (row: Row) => names.map((name) => row[name] ?? '\x1e').join('\x1f');
        return nullsLast(pack(one), pack(other));
      };
    const smallestB =
      ids.b === null ? byContent('v', 'id') : (one: Row, other: Row) => Number(one.id) - Number(other.id);
    const expected = as.flatMap((row): Row[] => {
      const withB = partner(row, bs, [['b_key', 'key', 'number']], smallestB);
      const smallestC = byContent('v', 'no');
      const withC = ids.direct
        ? partner(row, cs, [['c_key', 'key', 'uuid']], smallestC)
        : partner(
            withB,
            cs,
            [
              ['c_key', 'key', 'uuid'],
              ['c_no', 'no', 'number'],
            ],
            smallestC,
          );
      if (!holds({ a: row, b: withB, c: withC })) return [];
      const values = [row.v, row.id, withC?.v, withB?.v, withC?.no, withB?.id];
      return [{ key: row.id ?? null, values: JSON.stringify(values.map((one) => one ?? null)) }];
    });

    await using source = await openModelSource(world.deps, a, { wanted: [...fields, 'id'] });
    const query = { fields, identity: 'id', ...(filter === undefined ? {} : { filter }) };
    const records = (await Array.fromAsync(source.records(query))).flat();
    const sorted = (list: Row[]) => list.toSorted((one, other) => Number(one.key) - Number(other.key));
    expect(sorted(records.map(({ key, values }) => ({ key, values: JSON.stringify(values) })))).toEqual(
      sorted(expected),
    );
    const keys = (await Array.fromAsync(source.keys(query))).flat();
    expect(keys.toSorted()).toEqual(records.map(({ key, hash }) => ({ key, hash })).toSorted());
    const some = records.filter(() => next() < 0.5).map(({ key }) => key ?? '');
    const asked = (await Array.fromAsync(source.records(query, [...some, 'nobody']))).flat();
    expect(asked.map(({ key }) => key).toSorted()).toEqual(some.toSorted());

    // Without an identity a record is its content, and the hash says whether that is the same.
    const content = {
      fields: fields.filter((name) => name !== 'id'),
      ...(filter === undefined ? {} : { filter }),
    };
    const contents = (await Array.fromAsync(source.records(content))).flat();
    expect(contents).toHaveLength(expected.length);
    expect(new Set(contents.map(({ key }) => key)).size).toBe(contents.length);
    expect(new Set(contents.map(({ hash }) => hash)).size).toBe(
      new Set(contents.map(({ values }) => JSON.stringify(values))).size,
    );
  },
);

test('a join that waits for a model is ended at once', async () => {
  await world.source.query(`
    drop table if exists slow; create table slow (id int, name text);
    insert into slow select n, 'x' from generate_series(1, 2000) n`);
  const other = await newModel('slow', 'id', []);
  const base = await newModel('slow', 'id', [['id', other, 'id']]);
  await world.db
    .updateTable('models')
    .set({ configuration: JSON.stringify({ query: 'select id, name from slow, pg_sleep(60)' }) })
    .where('id', '=', other.id)
    .execute();
  const controller = new AbortController();
  const name = relatedName(other.id, 'name');
  const options = { wanted: ['id', name], signal: controller.signal };
  await using source = await openModelSource(world.deps, base, options);
  const read = Array.fromAsync(source.keys({ fields: [name], identity: 'id' }));
  const asleep = `select 1 from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()`;
  await until(async () => (await world.source.query(asleep)).length > 0 || undefined);
  controller.abort();
  await expect(read).rejects.toThrow();
  await expect(Array.fromAsync(source.keys({ fields: [name], identity: 'id' }))).rejects.toThrow('aborted');
});

test('a join that is canceled ends in the metadata database', async () => {
  await world.source.query(
    `drop table if exists two; create table two (id int, name text); insert into two values (1, 'x'), (2, 'y')`,
  );
  const other = await newModel('two', 'id', []);
  const base = await newModel('two', 'id', [['id', other, 'id']]);
  // As slow as a join of very many records: this one takes a minute for the hash of each.
  const path = { search_path: 'tidemark,slow,pg_catalog' };
  await using slow = {
    ...openDatabase(world.metadataUrl, 2, path),
    [Symbol.asyncDispose]: () => slow.close(),
  };
  await slow.pool.query(`create schema slow;
    create function slow.hashtextextended(text, bigint) returns bigint language sql volatile
      as $$ select 1 from pg_sleep(60) $$`);
  const controller = new AbortController();
  const name = relatedName(other.id, 'name');
  const options = { wanted: ['id', name], signal: controller.signal };
  await using source = await openModelSource({ ...world.deps, db: slow.db }, base, options);
  const read = Array.fromAsync(source.keys({ fields: [name], identity: 'id' }));
  const joining = async () => {
    const { rows } = await slow.pool.query(
      `select from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()`,
    );
    return rows.length > 0;
  };
  await until(joining);
  controller.abort();
  await expect(read).rejects.toThrow();
  await until(async () => !(await joining()));
});

test('50,000 records joined with 64 MB of partners in 64 MB of heap', async () => {
  await world.source.query(`
    drop table if exists big_orders, big_customers;
    create table big_orders as select n as id, (n * 7919) % 50000 as customer, 'n' as note
      from generate_series(1, 50000) n;
    create table big_customers as select n as id, repeat(md5(n::text), 40) as name from generate_series(0, 49999) n`);
  const customers = await newModel('big_customers', 'id', []);
  const orders = await newModel('big_orders', 'id', [['customer', customers, 'id']]);
  const child = path.join(import.meta.dirname, '../../test/support/joined-records.fixture.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--max-old-space-size=64',
    child,
    world.metadataUrl,
    world.organizationId,
    orders.id,
    JSON.stringify(['note', relatedName(customers.id, 'name')]),
  ]);
  expect(JSON.parse(stdout)).toEqual({ records: 50_000, partnerless: 0 });
});
