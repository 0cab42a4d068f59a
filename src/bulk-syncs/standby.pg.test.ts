import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BulkHarness, bulkHarness } from '../../test/support/bulk-syncs.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { type StandbyPair, standbyPair } from '../../test/support/standby.ts';
import { until } from '../../test/support/until.ts';
import { createBulkSync } from './crud.ts';
import { startBulkSync } from './start.ts';

let harness: BulkHarness;
let pair: StandbyPair;
beforeAll(async () => {
  [harness, pair] = await Promise.all([bulkHarness(), standbyPair()]);
});
afterAll(async () => {
  await pair[Symbol.asyncDispose]();
  await harness[Symbol.asyncDispose]();
});

/** Runs a sync of one schema, and says what it says meanwhile. */
async function begin(source: TestDatabase, destination: TestDatabase, schemaId: string) {
  const { organizationId, actor } = harness;
  const request = {
    name: crypto.randomUUID(),
    source_connection_id: await harness.connect(source),
    destination_connection_id: await harness.connect(destination),
    destination_configuration: { schema: 'copy' },
    schemas: [{ id: schemaId }],
  };
  const sync = await createBulkSync(harness, organizationId, actor, request, 'either');
  const { id } = await startBulkSync(harness, organizationId, sync.id, {});
  const lines = async () => (await harness.console(id)).entries.map(({ message }) => message);
  return {
    done: harness.run(id),
    lines,
    heard: (text: RegExp) => until(async () => (await lines()).some((line) => text.test(line))),
  };
}

test('a read that a standby cancels for what it has to replay is done again', async () => {
  const { primary, standby } = pair;
  const destination = await testDatabase();
  // Whoever reads the view waits for who holds the lock.
  await primary.query(`create table t as select i as id, 'row ' || i as name from generate_series(1, 1000) i;
    create view waiting as select t.* from t where (select pg_advisory_xact_lock_shared(1) is not null)`);
  await pair.replayed();
  const lock = await standby.hold('select pg_advisory_xact_lock(1)');
  const { done, lines, heard } = await begin(standby, destination, 'public.waiting');
  await until(async () => {
    const waiting = await standby.query(
      `select from pg_stat_activity where wait_event = 'advisory' and application_name like 'tidemark%'`,
    );
    return waiting.length > 0;
  });
  await primary.query('delete from t where id % 2 = 0');
  await primary.query('vacuum t');
  // A commit is flushed, and so sent, at once.
  await primary.query('create table later ()');
  await heard(/Lost a connection \(canceling statement due to conflict with recovery\)/);
  await lock.release();
  const { outcome, schemas } = await done;
  expect(outcome).toEqual({ status: 'completed' });
  expect(schemas).toMatchObject([{ status: 'completed', record_count: 500 }]);
  expect((await lines()).filter((line) => /Lost a connection/.test(line))).toHaveLength(1);
  expect(await destination.query('select count(*)::int as n from copy.waiting')).toEqual([{ n: 500 }]);
});

test('what only reads is refused at once where it writes', async () => {
  const { primary } = pair;
  await primary.query('create sequence s; create view counted as select nextval($$s$$) as n');
  const { done, lines } = await begin(primary, await testDatabase(), 'public.counted');
  const { schemas } = await done;
  expect(schemas).toMatchObject([
    { status: 'failed', status_message: 'cannot execute nextval() in a read-only transaction' },
  ]);
  expect((await lines()).join()).not.toMatch(/Lost a connection/);
});

test('a standby as destination is waited for until it is promoted', async () => {
  const source = await testDatabase();
  await source.query(`create table u (id int primary key); insert into u values (1)`);
  const { done, heard } = await begin(source, pair.standby, 'public.u');
  await heard(/Lost a connection \(the server is a standby, which takes no writes .*; try 2 of 7/);
  await pair.promote();
  const { outcome } = await done;
  expect(outcome).toEqual({ status: 'completed' });
  expect(await pair.standby.query('select id from copy.u')).toEqual([{ id: 1 }]);
});
