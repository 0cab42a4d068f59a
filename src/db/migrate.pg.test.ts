import { expect, test } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import { migrate } from './index.ts';

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
