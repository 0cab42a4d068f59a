import { expect, test } from 'vitest';
import { createMetadataDatabase } from '../../test/support/database.ts';
import { until } from '../../test/support/until.ts';
import { openDatabase } from '../db/index.ts';
import { KeyRing } from '../lib/seal.ts';
import { bootstrap } from '../organizations/index.ts';
import { checkEncryptionKeys } from './check-encryption-keys.ts';
import { reseal } from './reseal.ts';

const [former, present] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
const origin = { source: 'TIDEMARK_ENCRYPTION_KEY', isNew: false };

test('what a former key sealed is sealed anew, through a death in the middle, and then needs that key no more', async () => {
  await using metadata = await createMetadataDatabase();
  const { db } = metadata;
  const [old, both] = [new KeyRing([former]), new KeyRing([present, former])];
  const { organizationId } = await bootstrap({ db });
  await checkEncryptionKeys(db, old, origin);
  const secrets = Array.from({ length: 900 }, (_, n) => old.seal(`{"password":"${n}"}`));
  await metadata.query(
    `insert into tidemark.connections (organization_id, name, type, configuration, secrets)
     select $1, 'c' || n, 'postgresql', '{}', s from unnest($2::bytea[]) with ordinality u (s, n)`,
    [organizationId, secrets],
  );
  await expect(reseal(db, both)).rejects.toThrow('seals nothing yet');
  await checkEncryptionKeys(db, both, origin);

  const dying = openDatabase(`${metadata.url}?application_name=dying`, 1);
  const dies = reseal(dying.db, both).catch(() => 'died');
  const resealed = async () =>
    Number(
      (
        await metadata.query<{ n: string }>(
          "select count(*) as n from tidemark.connections where secrets is not null and encode(substring(secrets from 1 for 4), 'hex') <> $1",
          [old.seal('').subarray(0, 4).toString('hex')],
        )
      )[0]?.n,
    );
  await until(async () => (await resealed()) > 50);
  await metadata.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'dying'",
  );
  await dies;
  await dying.close();
  const before = await resealed();
  expect(before).toBeGreaterThan(50);

  expect(await reseal(db, both)).toEqual({ resealed: 900 - before, unreadable: 0 });
  expect(await reseal(db, both)).toEqual({ resealed: 0, unreadable: 0 });
  const alone = new KeyRing([present]);
  expect(await checkEncryptionKeys(db, alone, origin)).toEqual({});
  const rows = await metadata.query<{ secrets: Buffer }>('select secrets from tidemark.connections');
  expect(new Set(rows.map(({ secrets: sealed }) => alone.open(sealed))).size).toBe(900);
});
