import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMetadataDatabase, type MetadataDatabase } from '../../test/support/database.ts';
import { withSession } from '../db/index.ts';
import { createPlan, planTable, readAhead } from './planned-records.ts';

let metadata: MetadataDatabase;
beforeAll(async () => {
  metadata = await createMetadataDatabase();
});
afterAll(() => metadata[Symbol.asyncDispose]());

test('records that are small first and large later are all read, never many bytes at a time', async () => {
  const megabyte = 1024 * 1024;
  const { db } = metadata;
  const plan = await withSession(db, async (session) => {
    const made = await createPlan(session, crypto.randomUUID(), crypto.randomUUID());
    await session.query(
      `insert into ${planTable(made)} (n, record_key, hash, record)
       select n, 'k' || n, n, case when n between 6001 and 6040 then repeat('x', ${megabyte}) else 'x' end
       from generate_series(1, 20000) n where n % 7 > 0`,
    );
    return made;
  });
  const expected = Array.from({ length: 20_000 }, (_, index) => index + 1).filter((n) => n % 7 > 0);
  for (const limit of [10_000, 1_000]) {
    const seen: number[] = [];
    let largest = 0;
    let batches = 0;
    for await (const batch of readAhead(db, plan, 0, limit)) {
      for (let index = 0; index < batch.length; index++) seen.push(batch.n(index));
      largest = Math.max(largest, batch.lines.length);
      batches++;
    }
    expect(seen).toEqual(expected);
    expect(largest).toBeLessThan(10 * megabyte);
    expect(batches).toBeLessThan(40);
  }
});
