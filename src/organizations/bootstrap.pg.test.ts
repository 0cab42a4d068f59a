import { expect, test } from 'vitest';
import { createMetadataDatabase } from '../../test/support/database.ts';
import { KeyRing } from '../lib/seal.ts';
import {
  authenticate,
  bootstrap,
  createOrganization,
  createUser,
  deleteOrganization,
  deleteUser,
} from './index.ts';

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

test('another configured key takes the place of the former one, and no other key goes', async () => {
  await using metadata = await createMetadataDatabase();
  const { db } = metadata;
  const first = await bootstrap({ db });
  await bootstrap({ db, apiKey: 'the-former-key-1' });
  await bootstrap({ db, apiKey: 'the-present-key-2' });
  const opens = async (key: string | undefined) => {
    return (await authenticate({ db, partnerKey: undefined }, `Bearer ${key}`)) !== undefined;
  };
  expect(await Promise.all([first.apiKey, 'the-former-key-1', 'the-present-key-2'].map(opens))).toEqual([
    true,
    false,
    true,
  ]);
});

test('the operator’s key stays with the first organization, whoever leaves it', async () => {
  await using metadata = await createMetadataDatabase();
  const { db } = metadata;
  const first = await bootstrap({ db, apiKey: 'the-operators-key' });
  const keyRing = new KeyRing([Buffer.alloc(32, 1)]);
  const tenant = await createOrganization({ db, keyRing }, { name: 'Tenant' });
  await createUser(db, tenant.id, { email: 'a@example.com', role: 'admin' });
  await deleteUser(db, first.organizationId, first.userId);
  expect(await authenticate({ db, partnerKey: undefined }, 'Bearer the-operators-key')).toBeUndefined();
  await bootstrap({ db, apiKey: 'the-operators-key' });
  expect(await authenticate({ db, partnerKey: undefined }, 'Bearer the-operators-key')).toMatchObject({
    organizationId: first.organizationId,
    role: 'admin',
  });
  await expect(deleteOrganization(db, first.organizationId)).rejects.toMatchObject({ key: 'forbidden' });
});
