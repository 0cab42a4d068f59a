import { afterAll, beforeAll, expect, test } from 'vitest';
import { bulkSyncs } from '../../test/support/bulk-sync-of.ts';
import { type BulkHarness, bulkHarness } from '../../test/support/bulk-syncs.ts';
import { updateBulkSchema } from './schemas.ts';

let harness: BulkHarness;
let syncOf: ReturnType<typeof bulkSyncs>;
beforeAll(async () => {
  harness = await bulkHarness();
  syncOf = bulkSyncs(harness);
});
afterAll(() => harness[Symbol.asyncDispose]());

const orders = `create table orders (id int primary key, state text, total numeric, at timestamptz);
  insert into orders select i, (array['new', 'paid', null])[i % 3 + 1], i * 1.5, timestamptz '2024-01-01 00:00+00' + i * interval '1 day' from generate_series(1, 30) i;
  insert into orders values (31, 'paid', 1000, null)`;

test('only rows that pass every filter arrive, also by fields that are not read; changing a filter takes rows back', async () => {
  const { destination, run, sync } = await syncOf(orders, {
    schemas: [
      {
        id: 'public.orders',
        fields: ['id', 'total'],
        tracking_field: 'at',
        filters: [
          { field_id: 'state', function: 'Inequality', value: 'new' },
          { field_id: 'total', function: 'GreaterThan', value: 30 },
        ],
      },
    ],
  });
  const ids = () =>
    destination.query('select id from copy.orders order by id').then((rows) => rows.map(({ id }) => id));
  expect((await run()).outcome).toEqual({ status: 'completed' });
  expect(await ids()).toEqual([22, 23, 25, 26, 28, 29, 31]);
  const filters = [{ field_id: 'state', function: 'IsNull' }];
  const set = { fields: [{ id: 'id' }, { id: 'total' }], tracking_field: 'at', filters };
  await updateBulkSchema(harness.db, harness.organizationId, sync.id, 'public.orders', set);
  expect((await run()).outcome).toEqual({ status: 'completed' });
  expect(await ids()).toEqual([2, 5, 8, 11, 14, 17, 20, 23, 26, 29]);
});

test('rows older than the cutoff are left out, those without a time are not; without a time to hold against it says so', async () => {
  const { destination, run } = await syncOf(`${orders}; create table plain as select 1 as id`, {
    data_cutoff_timestamp: '2024-01-29T00:00:00Z',
    schemas: [{ id: 'public.orders', tracking_field: 'at' }, 'public.plain'],
  });
  const { execution, outcome } = await run();
  expect(outcome).toEqual({ status: 'completed' });
  expect(await destination.query('select id from copy.orders order by id')).toEqual([
    { id: 28 },
    { id: 29 },
    { id: 30 },
    { id: 31 },
  ]);
  const warnings = (await harness.console(execution.id)).entries.filter(({ level }) => level === 'warn');
  expect(warnings).toMatchObject([
    { message: expect.stringContaining('data_cutoff_timestamp has no effect here') },
  ]);
});

test('a filter that does not fit the table any more fails it, and names the field', async () => {
  const { source, run } = await syncOf(orders, {
    schemas: [{ id: 'public.orders', filters: [{ field_id: 'total', function: 'GreaterThan', value: 30 }] }],
  });
  await source.query('alter table orders drop total');
  expect((await run()).outcome).toMatchObject({
    status: 'failed',
    errors: [expect.stringContaining('total')],
  });
});

test('a row that stops passing a filter is gone from the copy, though its table has a tracking field', async () => {
  const { source, destination, run } = await syncOf(orders, {
    schemas: [
      {
        id: 'public.orders',
        tracking_field: 'at',
        filters: [{ field_id: 'state', function: 'Equality', value: 'paid' }],
      },
    ],
  });
  await run();
  await source.query(`update orders set state = 'new', at = at + interval '1 year' where id = 1`);
  const before = await destination.query('select id from copy.orders where id = 1');
  await run();
  expect([before, await destination.query('select id from copy.orders where id = 1')]).toEqual([
    [{ id: 1 }],
    [],
  ]);
});
