import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMetadataDatabase, type MetadataDatabase } from '../../test/support/database.ts';

let metadata: MetadataDatabase;
beforeAll(async () => {
  metadata = await createMetadataDatabase();
});
afterAll(() => metadata[Symbol.asyncDispose]());

test('timestamps are RFC 3339 with six digits, so that their texts sort as the times do', async () => {
  const { rows } = await sql<{ at: string }>`
    select timestamptz '2026-01-01 00:00:00+00' + n * interval '1 microsecond' as at
    from unnest(array[0, 1, 10, 100000, 123456, 999990]) n`.execute(metadata.db);
  const texts = rows.map(({ at }) => at);
  expect(texts).toEqual([
    '2026-01-01T00:00:00.000000Z',
    '2026-01-01T00:00:00.000001Z',
    '2026-01-01T00:00:00.000010Z',
    '2026-01-01T00:00:00.100000Z',
    '2026-01-01T00:00:00.123456Z',
    '2026-01-01T00:00:00.999990Z',
  ]);
  expect(texts.toSorted()).toEqual(texts);
});
