import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { createDatabase, createMetadataDatabase } from '../../test/support/database.ts';
import { maintainPartitions, migrate } from './index.ts';

test('racing first starts migrate once', async () => {
  await using database = await createDatabase();
  await Promise.all([migrate(database.url), migrate(database.url), migrate(database.url)]);
  const rows = await database.query<{ count: number }>(
    'select count(*)::int as count from tidemark.migrations',
  );
  expect(rows[0]?.count).toBeGreaterThan(0);
});

test('a database migrated past a breaking change by a newer version is refused', async () => {
  await using database = await createDatabase();
  await migrate(database.url);
  await database.query("insert into tidemark.migrations (name, breaking) values ('9999_future.sql', true)");
  await expect(migrate(database.url)).rejects.toThrow(/9999_future\.sql/);
});

test('partitions are made ahead, and dropped once they ended before the retention', async () => {
  await using metadata = await createMetadataDatabase();
  const hour = 3_600_000;
  const count = async () => {
    const result = await sql<{ count: number }>`
      select count(*)::int as count from pg_inherits where inhparent = 'events'::regclass`.execute(
      metadata.db,
    );
    return result.rows[0]?.count ?? 0;
  };
  const before = await count();
  const later = Date.now() + 100 * hour;
  await maintainPartitions(metadata.db, 48 * hour, later);
  const { rows } = await sql<{ bound: string }>`
    select pg_get_expr(c.relpartbound, c.oid) as bound from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'events'::regclass`.execute(metadata.db);
  expect(before).toBeGreaterThan(10);
  const ends = rows.map((row) => Date.parse(/TO \('([^']+)'\)/.exec(row.bound)?.[1] ?? ''));
  expect(Math.min(...ends)).toBeGreaterThanOrEqual(later - 48 * hour);
  expect(Math.max(...ends)).toBeGreaterThan(later + 60 * hour);
});
