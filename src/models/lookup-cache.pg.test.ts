import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { startModelSyncs } from '../../test/support/model-syncs.ts';
import { LookupCache } from './lookup-cache.ts';

test('answers are kept while they are fresh, and so many of them', async () => {
  await using world = await startModelSyncs();
  const { db, targetId, sourceId } = world;
  const digest = (n: number) => n.toString(16).padStart(64, '0');
  const kept = async () => {
    const { rows } = await sql<{ n: number }>`select count(*)::int as n from enrichment_cache`.execute(db);
    return rows[0]?.n;
  };
  const cache = new LookupCache(db, targetId, 2);
  await cache.store(new Map([1, 2, 3].map((n) => [digest(n), { json: n === 2 ? null : `{"n":${n}}` }])));
  await sql`update enrichment_cache set fetched_at = now() - interval '3 hours' where answer = '{"n":3}'`.execute(
    db,
  );
  const found = await cache.find([1, 2, 3, 4].map(digest));
  expect(found).toEqual(
    new Map([
      [digest(1), { json: '{"n":1}' }],
      [digest(2), { json: null }],
    ]),
  );
  // Of another connection it says nothing.
  expect(await new LookupCache(db, sourceId, 2).find([digest(1)])).toEqual(new Map());
  await cache.tidy();
  expect(await kept()).toBe(2);

  await sql`insert into enrichment_cache (connection_id, digest, answer, fetched_at)
    select ${targetId}, decode(lpad(to_hex(n), 64, '0'), 'hex'), '{}', now() - n * interval '1 millisecond'
    from generate_series(100, 100199) n`.execute(db);
  await cache.store(new Map([[digest(5), { json: '{}' }]]));
  await cache.tidy();
  expect(await kept()).toBe(100_000);
  expect((await cache.find([digest(5), digest(100), digest(100_199)])).size).toBe(2);
});
