import { afterAll, beforeAll, expect, test } from 'vitest';
import { bulkSyncs } from '../../test/support/bulk-sync-of.ts';
import { type BulkHarness, bulkHarness } from '../../test/support/bulk-syncs.ts';

let harness: BulkHarness;
let syncOf: ReturnType<typeof bulkSyncs>;
beforeAll(async () => {
  harness = await bulkHarness();
  syncOf = bulkSyncs(harness);
});
afterAll(() => harness[Symbol.asyncDispose]());

const items = `create table items (id int primary key, "firstName" text, first_name text, price int, at timestamptz);
  insert into items select i, 'a' || i, 'b' || i, i * 100, timestamptz '2024-01-01 00:00+00' + i * interval '1 hour'
    from generate_series(1, 40) i;
  create table parted (id int, at timestamptz, note text, primary key (id, at)) partition by range (at);
  create table parted_1 partition of parted for values from ('2024-01-01') to ('2024-02-01');
  insert into parted select i, timestamptz '2024-01-01 00:00+00' + i * interval '1 hour', 'n' from generate_series(1, 40) i`;

/** What changes unseen by the tracking field, and what the console says of it. Undefined: going on is sound. */
const changes: [sql: string, reason: string | undefined][] = [
  [`update items set price = price + 1, at = '2024-06-01' where id = 7`, undefined],
  [
    `alter table items alter price type numeric(12,2) using price / 100.0`,
    'fields were given another type: price (integer to numeric(12,2))',
  ],
  [
    `alter table items alter price type numeric(12,2) using price * 3`,
    'it was truncated, loaded again or rewritten',
  ],
  [
    `alter table items drop price; alter table items add price numeric(12,2); update items set price = id`,
    'fields were recreated',
  ],
  [
    `create table fresh (like items including all); insert into fresh select id, "firstName", first_name, at, 7 from items;
    drop table items cascade; alter table fresh rename to items`,
    'it is another table than before',
  ],
  [
    `truncate items; insert into items values (1, 'x', 'y', '2024-01-02', 1)`,
    'it was truncated, loaded again',
  ],
  [
    `delete from items; insert into items values (1, 'older', 'y', '2023-01-02', 1)`,
    'no at is at or above 2024-01-02 00:00:00+00 any more',
  ],
  [`delete from items`, 'no at is at or above 2023-01-02'],
  [`insert into items values (5, 'new', 'new', '2024-01-02', 5)`, 'no position of an earlier read'],
  [`insert into items values (6, 'infinite', 'new', 'infinity', 5)`, undefined],
  // Its rows lie above the position, which is not carried along by one that is far ahead.
  [`insert into items values (7, 'tomorrow', 'new', now() + interval '20 hours', 5)`, undefined],
  [`insert into items values (8, 'now', 'new', now(), 5)`, undefined],
];

test('whatever changes rows below the position is read in full with its reason, and the copy is the source', async () => {
  const { source, destination, run } = await syncOf(items, {
    schemas: [{ id: 'public.items', tracking_field: 'at' }],
  });
  await run();
  const outputs = `"firstName" as first_name, first_name as first_name_2`;
  for (const [sql, reason] of changes) {
    await source.query(sql);
    const { execution, outcome } = await run();
    expect(outcome, sql).toEqual({ status: 'completed' });
    const { entries } = await harness.console(execution.id);
    const line = entries.map(({ message }) => message).find((message) => message.startsWith('Loading'));
    if (reason === undefined) expect(line, sql).not.toContain('every record');
    else expect(line, sql).toContain(reason);
    const expected = await source.query(
      `select id, ${outputs}, price::numeric, at::text from items order by id`,
    );
    expect(
      await destination.query(
        `select id, first_name, first_name_2, price::numeric, at::text from copy.items order by id`,
      ),
    ).toEqual(expected);
  }
});

test('partitions: a new one with newer rows is gone on with, an older or rewritten one is not', async () => {
  const { source, destination, run } = await syncOf(items, {
    schemas: [{ id: 'public.parted', tracking_field: 'at' }],
  });
  await run();
  const steps: [string, string | undefined][] = [
    [
      `create table parted_2 partition of parted for values from ('2024-02-01') to ('2024-03-01');
      insert into parted values (100, '2024-02-02', 'new')`,
      undefined,
    ],
    [
      `create table older (like parted including all); insert into older values (200, '2023-05-05', 'older');
      alter table parted attach partition older for values from ('2023-05-01') to ('2023-06-01')`,
      'a partition was attached that has older rows',
    ],
    [
      `truncate parted_1; insert into parted values (1, '2024-01-01 01:00+00', 'again')`,
      'a partition was truncated',
    ],
  ];
  for (const [sql, reason] of steps) {
    await source.query(sql);
    const { execution } = await run();
    const { entries } = await harness.console(execution.id);
    const line = entries.map(({ message }) => message).find((message) => message.startsWith('Loading'));
    if (reason === undefined) expect(line).not.toContain('every record');
    else expect(line).toContain(reason);
    const all = 'select id, at::text, note from';
    expect(await destination.query(`${all} copy.parted order by at`)).toEqual(
      await source.query(`${all} parted order by at`),
    );
  }
});

test('columns keep their names when others go, come and change places', async () => {
  const { source, destination, run } = await syncOf(items, { schemas: ['public.items'] });
  await run();
  const named = () => destination.query('select first_name, first_name_2 from copy.items where id = 1');
  expect(await named()).toEqual([{ first_name: 'a1', first_name_2: 'b1' }]);
  await source.query('alter table items drop "firstName"');
  await run();
  // It holds what it held; the column that is left stays where it was.
  expect(await named()).toEqual([{ first_name: 'a1', first_name_2: 'b1' }]);
  await source.query(`alter table items add "FirstName" text default 'c'`);
  await run();
  expect(await destination.query('select * from copy.items where id = 1')).toMatchObject([
    { first_name: 'a1', first_name_2: 'b1', first_name_3: 'c' },
  ]);
  // A recreated table has no old values: from the next new column on the name is free.
  await run({ resync_mode: 'rebuild' });
  await source.query(`alter table items add "first-name" text default 'd'`);
  await run();
  expect(await destination.query('select * from copy.items where id = 1')).toMatchObject([
    { first_name: 'd', first_name_2: 'b1', first_name_3: 'c' },
  ]);
});

test('a time without a zone is looked for through the hour that comes twice', async () => {
  const { source, destination, run } = await syncOf(
    `create table local (id int primary key, at timestamp); insert into local values (1, '2024-10-27 02:59:00')`,
    { schemas: [{ id: 'public.local', tracking_field: 'at' }] },
  );
  await run();
  await source.query(`insert into local values (2, '2024-10-27 02:05:00')`);
  await run();
  expect(await destination.query('select id from copy.local order by id')).toEqual([{ id: 1 }, { id: 2 }]);
});
