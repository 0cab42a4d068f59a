import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMetadataDatabase, type MetadataDatabase } from '../../test/support/database.ts';
import { openDatabase } from '../db/index.ts';
import { appendEvent, type EventLog, exactPage, openEventLog } from './index.ts';

const retention = 48 * 3_600_000;
let metadata: MetadataDatabase;
let log: EventLog;

beforeAll(async () => {
  metadata = await createMetadataDatabase();
  log = openEventLog(metadata.url);
});
afterAll(async () => {
  await log.close();
  await metadata[Symbol.asyncDispose]();
});

async function organizations(count: number): Promise<string[]> {
  const names = Array.from({ length: count }, () => ({ name: crypto.randomUUID() }));
  const rows = await metadata.db.insertInto('organizations').values(names).returning('id').execute();
  return rows.map(({ id }) => id);
}

const append = (organizationId: string, n: number) =>
  metadata.db
    .transaction()
    .execute((tx) => appendEvent(tx, { organizationId, type: 'sync.running', event: { n } }));

test('a poller loses nothing while 16 writers commit with delays and a long transaction is open', async () => {
  const tenants = await organizations(3);
  const perWriter = 60;
  const writers = openDatabase(metadata.url, 16);
  // An unrelated write transaction: schemes that wait for the oldest transaction would stall behind it.
  const bystander = new pg.Client(metadata.url);
  await bystander.connect();
  await bystander.query(
    "begin; update tidemark.organizations set updated_at = now() where name = ''; select pg_current_xact_id()",
  );

  let writing = true;
  const written = Promise.all(
    Array.from({ length: 16 }, async (_, writer) => {
      for (let n = 0; n < perWriter; n++) {
        const organizationId = tenants[(writer + n) % tenants.length] ?? '';
        await writers.db.transaction().execute(async (tx) => {
          const delay = Math.random() < 0.2 ? Math.random() * 0.02 : 0;
          await sql`select pg_sleep(${delay})`.execute(tx);
          // One of three is of a type that somebody reads alone.
          const type = n % 3 === 0 ? 'sync.failed' : 'sync.running';
          await appendEvent(tx, { organizationId, type, event: { writer, n } });
        });
      }
    }),
  ).finally(() => {
    writing = false;
  });

  const poll = async (organizationId: string, cut: (timestamp: string) => string) => {
    const seen: string[] = [];
    let cursor = '2000-01-01T00:00:00Z';
    for (;;) {
      // Read before the page: only a page asked for after the last write may end the loop by being empty.
      const complete = !writing;
      const page = await log.list({
        organizationId,
        ascending: true,
        after: cut(cursor),
        limit: 7,
        retention,
      });
      const fresh = page.filter(({ id }) => !seen.slice(-50).includes(id));
      seen.push(...fresh.map(({ id }) => id));
      cursor = page.at(-1)?.createdAt ?? cursor;
      if (complete && fresh.length === 0) return seen;
    }
  };
  /** By the position of pages that a filter leaves short and empty: it moves with what others read. */
  const pollFailed = async (organizationId: string) => {
    const seen: string[] = [];
    let moved = 0;
    const query = { organizationId, types: ['sync.failed'], ascending: true, limit: 7, retention };
    for (let after = '2000-01-01T00:00:00Z'; ; ) {
      const complete = !writing;
      const page = await exactPage(log, { ...query, after });
      seen.push(...page.events.map(({ id }) => id));
      if (page.events.length === 0 && page.position !== after) moved++;
      after = page.position ?? after;
      if (complete && page.events.length === 0) return { seen, moved, after };
    }
  };
  const [exact, filtered] = await Promise.all([
    Promise.all([written, ...tenants.map((id) => poll(id, (text) => text))]),
    Promise.all(tenants.map(pollFailed)),
  ]);
  await bystander.query('rollback');
  await bystander.end();
  await writers.close();

  for (const [index, organizationId] of tenants.entries()) {
    const all = await metadata.db
      .selectFrom('events')
      .select(['id', 'type', 'created_at'])
      .where('organization_id', '=', organizationId)
      .orderBy('created_at')
      .execute();
    // Every event, once, in order.
    expect(exact[index + 1]).toEqual(all.map(({ id }) => id));
    const failed = all.filter(({ type }) => type === 'sync.failed');
    expect(filtered[index]?.seen).toEqual(failed.map(({ id }) => id));
    expect(filtered[index]?.after).toBe(all.at(-1)?.created_at);
    expect(filtered[index]?.moved).toBeGreaterThan(0);
  }
  expect(exact.slice(1).flat().length).toBe(16 * perWriter);
});

test('a cursor cut to milliseconds repeats events and misses none [P3]', async () => {
  const [organizationId = ''] = await organizations(1);
  for (let n = 0; n < 40; n++) await append(organizationId, n);
  const seen = new Set<string>();
  let cursor = '2000-01-01T00:00:00.000Z';
  for (let rounds = 0; rounds < 60; rounds++) {
    const page = await log.list({
      organizationId,
      ascending: true,
      after: cursor,
      limit: 100,
      retention,
    });
    for (const { id } of page) seen.add(id);
    const last = page.at(-1)?.createdAt;
    if (last === undefined) break;
    cursor = new Date(last).toISOString();
  }
  expect(seen.size).toBe(40);
});

test('created_at is unique and strictly increasing, newest first without a cursor, bounds are strict', async () => {
  const [organizationId = ''] = await organizations(1);
  const events = [];
  for (let n = 0; n < 12; n++) events.push(await append(organizationId, n));
  const times = events.map(({ createdAt }) => createdAt);
  expect(times).toEqual([...new Set(times)].sort());

  const newest = await log.list({ organizationId, ascending: false, limit: 3, retention });
  expect(newest.map(({ id }) => id)).toEqual(
    events
      .slice(-3)
      .reverse()
      .map(({ id }) => id),
  );
  const between = await log.list({
    organizationId,
    ascending: true,
    after: times[2],
    before: times[6],
    limit: 100,
    retention,
  });
  expect(between.map(({ createdAt }) => createdAt)).toEqual(times.slice(3, 6));
});

test('an event whose transaction is rolled back never was', async () => {
  const [organizationId = ''] = await organizations(1);
  const attempt = metadata.db.transaction().execute(async (tx) => {
    await appendEvent(tx, { organizationId, type: 'sync.failed', event: {} });
    throw new Error('rolled back');
  });
  await expect(attempt).rejects.toThrow('rolled back');
  expect(await log.list({ organizationId, ascending: false, limit: 10, retention })).toEqual([]);
});

test('events older than the retention are not returned, though their partition still stands', async () => {
  const [organizationId = ''] = await organizations(1);
  await append(organizationId, 1);
  expect(await log.list({ organizationId, ascending: false, limit: 10, retention: 0 })).toEqual([]);
  expect((await log.list({ organizationId, ascending: false, limit: 10, retention })).length).toBe(1);
});
