import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { createMetadataDatabase } from '../../test/support/database.ts';
import { maintainPartitions } from './index.ts';

const hour = 3_600_000;
const retention = 48 * hour;

test('partitions are made ahead, and dropped once they ended before the retention', async () => {
  await using metadata = await createMetadataDatabase();
  const count = async () => {
    const result = await sql<{ count: number }>`
      select count(*)::int as count from pg_inherits where inhparent = 'events'::regclass`.execute(
      metadata.db,
    );
    return result.rows[0]?.count ?? 0;
  };
  const before = await count();
  const later = Date.now() + 100 * hour;
  await maintainPartitions(metadata.db, retention, later);
  const { rows } = await sql<{ bound: string }>`
    select pg_get_expr(c.relpartbound, c.oid) as bound from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'events'::regclass`.execute(metadata.db);
  expect(before).toBeGreaterThan(10);
  const ends = rows.map((row) => Date.parse(/TO \('([^']+)'\)/.exec(row.bound)?.[1] ?? ''));
  expect(Math.min(...ends)).toBeGreaterThanOrEqual(later - retention);
  expect(Math.max(...ends)).toBeGreaterThan(later + 60 * hour);
});

test.each([
  ['72 hours ahead', 72],
  ['ten days behind', -240],
])('a clock that is %s costs no event, and the log goes on', async (_, hours) => {
  await using metadata = await createMetadataDatabase();
  const organizationId = crypto.randomUUID();
  await metadata.query(`insert into tidemark.organizations (id, name) values ($1, 'off the clock')`, [
    organizationId,
  ]);
  const append = () =>
    metadata.query(
      `with next as (insert into tidemark.event_heads values ($1, now()) on conflict (organization_id)
         do update set head = event_heads.head + interval '1 microsecond' returning head)
       insert into tidemark.events select $1, head, gen_random_uuid(), 'sync.running', '{}' from next`,
      [organizationId],
    );
  for (let events = 0; events < 12; events++) await append();
  await maintainPartitions(metadata.db, retention, Date.now() + hours * hour);
  await append();
  await maintainPartitions(metadata.db, retention);
  await append();
  const [row] = await metadata.query<{ events: number }>(
    'select count(*)::int as events from tidemark.events',
  );
  expect(row?.events).toBe(14);
});

test('a partition is dropped when the log has left it behind', async () => {
  await using metadata = await createMetadataDatabase();
  const names = async () =>
    (
      await metadata.query<{ name: string }>(
        `select relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid
         where inhparent = 'tidemark.events'::regclass`,
      )
    ).map(({ name }) => name);
  await maintainPartitions(metadata.db, retention, Date.now() - 72 * hour);
  const id = crypto.randomUUID();
  await metadata.query(`insert into tidemark.organizations (id, name) values ($1, 'old')`, [id]);
  const at = async (ago: string) => {
    await metadata.query(
      `with next as (insert into tidemark.event_heads values ($1, now() - $2::interval)
         on conflict (organization_id) do update set head = excluded.head returning head)
       insert into tidemark.events select $1, head, gen_random_uuid(), 'sync.running', '{}' from next`,
      [id, ago],
    );
  };
  await at('72 hours');
  const old = `events_${Math.floor((Date.now() - 72 * hour) / (6 * hour)) * 6 * 3600}`;
  await maintainPartitions(metadata.db, retention);
  expect(await names()).toContain(old);
  await at('0');
  await maintainPartitions(metadata.db, retention);
  expect(await names()).not.toContain(old);
});
