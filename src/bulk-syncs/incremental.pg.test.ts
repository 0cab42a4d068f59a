import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bulkSyncs } from '../../test/support/bulk-sync-of.ts';
import { type BulkHarness, bulkHarness } from '../../test/support/bulk-syncs.ts';
import type { TestDatabase } from '../../test/support/database.ts';
import { obfuscationSalt } from '../organizations/index.ts';
import { updateBulkSchema } from './schemas.ts';

let harness: BulkHarness;
let syncOf: ReturnType<typeof bulkSyncs>;
beforeAll(async () => {
  harness = await bulkHarness();
  syncOf = bulkSyncs(harness);
});
afterAll(() => harness[Symbol.asyncDispose]());

const items = `create table items (id int primary key, note text, changed timestamptz);
  insert into items select i, 'n' || i, timestamptz '2024-01-01 00:00:00.000001+00' + i * interval '1 hour' from generate_series(1, 100) i`;
const tracked = { schemas: [{ id: 'public.items', tracking_field: 'changed' }] };
const all = (database: TestDatabase, table: string) =>
  database.query(`select id, note, changed::text from ${table} order by id`);
const why = async (executionId: string) =>
  (await harness.console(executionId)).entries
    .map(({ message }) => message)
    .find((line) => line.startsWith('Loading'));

test('after a first full read only new rows and those of the boundary are read, and none is lost', async () => {
  const { source, destination, run } = await syncOf(items, tracked);
  const first = await run();
  expect(first.schemas).toMatchObject([{ record_count: 100 }]);
  expect(await why(first.execution.id)).toContain('it is not in the destination yet');
  await source.query(`
    insert into items values (200, 'later', '2024-01-05 04:00:00.000002+00');
    -- Same instant as the greatest before, to the microsecond; and one that commits late with an older time.
    insert into items values (201, 'tie', '2024-01-05 04:00:00.000001+00'), (202, 'late', '2024-01-05 03:58:00+00');
    insert into items values (203, 'no time', null)`);
  const second = await run();
  // The boundary row itself, the tie, the late one, the later one, and the one without a time.
  expect(second.schemas).toMatchObject([{ record_count: 5 }]);
  expect(await why(second.execution.id)).toContain('changed is at or above 2024-01-05 04:00:00.000001+00');
  expect(await all(destination, 'copy.items')).toEqual(await all(source, 'items'));
  expect((await run()).schemas[0]?.record_count).toBeLessThan(6);
  expect(await all(destination, 'copy.items')).toEqual(await all(source, 'items'));
});

test('what could be missed by going on is read in full, and the console says why', async () => {
  const { source, destination, run, sync } = await syncOf(items, tracked);
  const set = (settings: object) =>
    updateBulkSchema(harness.db, harness.organizationId, sync.id, 'public.items', settings);
  const reason = async (options = {}) => why((await run(options)).execution.id);
  await run();
  expect(await reason()).not.toContain('every record');
  // Values filled in rows whose tracking field did not move.
  await source.query(`alter table items add color text default 'red'`);
  expect(await reason()).toContain('fields were added: color');
  expect(await destination.query(`select count(*)::int as red from copy.items where color = 'red'`)).toEqual([
    { red: 100 },
  ]);
  await set({ tracking_field: 'id' });
  expect(await reason()).toContain('its tracking field changed');
  expect(await reason()).not.toContain('every record');
  await harness.refresh(sync.sourceConnectionId);
  await set({ tracking_field: 'id', fields: ['id', 'changed', 'color', { id: 'note', obfuscated: true }] });
  expect(await reason()).toContain('a field is obfuscated that was not before');
  expect(await reason({ resync_mode: 'refetch' })).toContain('this is asked for');
  await destination.query('drop table copy.items');
  expect(await reason()).toContain('it is not in the destination yet');
  await source.query('delete from items where id <= 50');
  // A tracking field does not tell of deletes; a full read does.
  await run();
  const [before] = await destination.query('select count(*)::int as n from copy.items');
  expect(before).toEqual({ n: 100 });
  await run({ resync_mode: 'refetch' });
  const [after] = await destination.query('select count(*)::int as n from copy.items');
  expect(after).toEqual({ n: 50 });
});

test('an obfuscated value is the salted digest of its text: stable, equal for equal values, NULL for NULL', async () => {
  const { source, destination, run } = await syncOf(
    `create table items (id int primary key, note text, changed date); create table others (id int primary key, "their note" varchar(5));
     insert into items values (1, 'zoë', '2024-02-29'), (2, null, null); insert into others values (9, 'zoë')`,
    {
      schemas: [
        {
          id: 'public.items',
          fields: ['id', { id: 'note', obfuscate: true }, { id: 'changed', obfuscate: true }],
        },
        { id: 'public.others', fields: ['id', { id: 'their note', obfuscate: true }] },
      ],
    },
  );
  expect((await run()).outcome).toEqual({ status: 'completed' });
  const salt = await obfuscationSalt(harness, harness.organizationId);
  const digest = (text: string) =>
    createHash('sha256')
      .update(salt + text)
      .digest('hex');
  expect(await destination.query('select * from copy.items order by id')).toEqual([
    { id: 1, note: digest('zoë'), changed: digest('2024-02-29') },
    { id: 2, note: null, changed: null },
  ]);
  expect(await destination.query('select their_note from copy.others')).toEqual([
    { their_note: digest('zoë') },
  ]);
  await run();
  expect(await destination.query('select note from copy.items where id = 1')).toEqual([
    { note: digest('zoë') },
  ]);
  expect(
    await source.query(
      `select count(*)::int as n from pg_stat_activity where query like '%${salt}%' and pid <> pg_backend_pid()`,
    ),
  ).toEqual([{ n: 0 }]);
});

test('what is to be hidden stays nowhere: not in rows marked as deleted, not in the position, not in the console', async () => {
  const { source, destination, run, sync } = await syncOf(
    `create table items (id int primary key, note text, changed text); insert into items values (1, 'secret one', 'secret a'), (2, 'secret two', 'secret b')`,
    {
      schemas: [{ id: 'public.items', tracking_field: 'changed' }],
      destination_configuration: { schema: 'copy' },
    },
  );
  await run();
  await source.query('delete from items where id = 2');
  await run({ resync_mode: 'refetch' });
  expect(await destination.query('select count(*)::int as n from copy.items')).toEqual([{ n: 2 }]);
  const fields = ['id', { id: 'note', obfuscated: true }, { id: 'changed', obfuscated: true }];
  const set = { tracking_field: 'changed', fields };
  await updateBulkSchema(harness.db, harness.organizationId, sync.id, 'public.items', set);
  const { execution } = await run();
  await run();
  const tables = await destination.query(
    `select (select json_agg(i)::text from copy.items i) || (select json_agg(s)::text from copy._tidemark_state s) as all`,
  );
  expect(JSON.stringify(tables)).not.toContain('secret');
  expect(JSON.stringify(await harness.console(execution.id))).not.toContain('secret');
});
