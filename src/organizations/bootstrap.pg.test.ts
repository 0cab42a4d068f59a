import { expect, test } from 'vitest';
import { createMetadataDatabase } from '../../test/support/database.ts';
import { authenticate, bootstrap } from './index.ts';

test('servers that start at the same time make one organization, one user and one key', async () => {
  await using metadata = await createMetadataDatabase();
  const { db } = metadata;
  const starts = await Promise.all(Array.from({ length: 5 }, () => bootstrap({ db })));
  expect(new Set(starts.map(({ organizationId }) => organizationId)).size).toBe(1);
  expect(starts.filter(({ apiKey }) => apiKey !== undefined).length).toBe(1);
  const [users] = await metadata.query<{ count: number }>('select count(*)::int from tidemark.users');
  expect(users?.count).toBe(1);
});

test('a configured key works from the start and at every later one', async () => {
  await using metadata = await createMetadataDatabase();
  const { db } = metadata;
  const first = await bootstrap({ db });
  await bootstrap({ db, apiKey: 'a key for automation' });
  await bootstrap({ db, apiKey: 'a key for automation' });
  const deps = { db, partnerKey: undefined };
  const caller = await authenticate(deps, 'Bearer a key for automation'.replaceAll(' key', '-key'));
  expect(caller).toBeUndefined();
  const configured = await bootstrap({ db, apiKey: 'a-key-for-automation' });
  expect(await authenticate(deps, 'Bearer a-key-for-automation')).toMatchObject({
    userId: configured.userId,
  });
  expect(await authenticate(deps, `Bearer ${first.apiKey}`)).toMatchObject({ userId: first.userId });
});
