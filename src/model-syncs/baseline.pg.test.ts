import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMetadataDatabase, type MetadataDatabase } from '../../test/support/database.ts';
import type { ModelSyncMode, RecordResult } from '../connectors/index.ts';
import { withSession } from '../db/index.ts';
import { encodeCopyText } from '../lib/copy-text.ts';
import {
  acknowledge,
  type BaselineProgress,
  baselineTable,
  closeBaseline,
  createBaseline,
  currentBaseline,
  emptyBaseline,
  mixedDigest,
  useBaseline,
} from './baseline.ts';
import { PlannedBatch } from './planned-batch.ts';
import type { Task } from './task.ts';

let metadata: MetadataDatabase;
beforeAll(async () => {
  metadata = await createMetadataDatabase();
});
afterAll(() => metadata[Symbol.asyncDispose]());

interface Row {
  record_key: string;
  hash: number;
  n: number | null;
}

const target = 'somewhere';
const batchOf = (rows: readonly Row[]) =>
  new PlannedBatch(
    Buffer.from(
      encodeCopyText(rows.map(({ record_key: key, hash, n }) => [String(n), key, String(hash), 'v'])),
    ),
  );
const rowsOf = async (number: number) =>
  (
    await sql<Row>`select record_key, hash, n from ${sql.table(baselineTable(number))} order by record_key`.execute(
      metadata.db,
    )
  ).rows;
const records = ['a', 'b', 'c\td', 'e'].map(
  (key, index): Row => ({ record_key: key, hash: index + 10, n: index + 1 }),
);

/** Made under a mapping whose digest is 5, and filled with `records`. */
async function filledBaseline(acknowledged: number | null): Promise<{ number: number; syncId: string }> {
  const syncId = crypto.randomUUID();
  return withSession(metadata.db, async (session) => {
    const number = await createBaseline(session, { syncId, executionId: crypto.randomUUID() }, '5');
    await session.query(
      `insert into ${baselineTable(number)} select record_key, hash, n from jsonb_to_recordset($1::jsonb)
         as r (record_key text, hash bigint, n bigint)`,
      [JSON.stringify(records)],
    );
    expect(await closeBaseline(session, number)).toBe(true);
    await metadata.db.transaction().execute((tx) => useBaseline(tx, number, target, acknowledged));
    return { number, syncId };
  });
}

function answer(
  baseline: BaselineProgress,
  rows: readonly Row[],
  statuses: RecordResult['status'][],
  mode: ModelSyncMode = 'updateOrCreate',
): Promise<void> {
  const results = statuses.map((status) => ({ status, reason: '' }) as RecordResult);
  const task = { target: { mode } } as Task;
  return metadata.db
    .transaction()
    .execute((tx) => acknowledge(tx, { baseline, task }, batchOf(rows), results));
}

test.each([
  ['updateOrCreate', ['a', 'c\td', 'e'], ['inserted', 'refused', 'updated', 'upserted']],
  ['update', ['a', 'e'], ['updated', 'refused', 'skipped', 'updated']],
  ['remove', ['b', 'e'], ['skipped', 'deleted', 'skipped', 'deleted']],
] as const)('a filled one keeps what %s was told it has taken', async (mode, kept, statuses) => {
  const { number, syncId } = await filledBaseline(0);
  await answer({ number, digest: '0', filled: true }, records, [...statuses], mode);
  expect((await rowsOf(number)).map((row) => row.record_key)).toEqual(kept);
  expect(await currentBaseline(metadata.db, syncId, target)).toMatchObject({ number, acknowledged: 4 });
});

test('what create found already there is known, by a hash that never matches', async () => {
  const { number } = await filledBaseline(0);
  const settle = () =>
    answer({ number, digest: '0', filled: true }, records.slice(0, 2), ['skipped', 'inserted'], 'create');
  await settle();
  const rows = await rowsOf(number);
  expect(rows[0]).toEqual({ record_key: 'a', hash: ~10, n: null });
  // A worker that takes over may settle the same answers again.
  await settle();
  expect(await rowsOf(number)).toEqual(rows);
});

test('what was taken is noted, also where there is a row that does not count yet', async () => {
  const { number } = await filledBaseline(2);
  const progress = { number, digest: '0', filled: false };
  const changed = [
    { record_key: 'e', hash: 99, n: 7 },
    { record_key: 'new', hash: 1, n: 8 },
    { record_key: 'other', hash: 1, n: 9 },
  ];
  await answer(progress, changed, ['updated', 'inserted', 'refused']);
  expect(await rowsOf(number)).toEqual([
    ...records.slice(0, 3),
    { record_key: 'e', hash: 99, n: null },
    { record_key: 'new', hash: 1, n: null },
  ]);
});

test('an emptied one counts nothing, and goes on', async () => {
  const { number, syncId } = await filledBaseline(2);
  await metadata.db.transaction().execute((tx) => emptyBaseline(tx, number));
  expect(await rowsOf(number)).toEqual([]);
  expect(await currentBaseline(metadata.db, syncId, target)).toMatchObject({ number, acknowledged: null });
});

test('hashes are mixed with the mapping, and with the one it was made under', async () => {
  const { number } = await filledBaseline(null);
  const digest = mixedDigest('-9223372036854775808', '5');
  expect(mixedDigest(digest, '5')).toBe('-9223372036854775808');
  await answer({ number, digest: mixedDigest('6', '5'), filled: false }, records.slice(0, 1), ['updated']);
  expect((await rowsOf(number))[0]).toEqual({ record_key: 'a', hash: 10 ^ 3, n: null });
});

test.each([
  ['twice', `('a', 1, 1), ('a', 1, 2)`],
  ['NULL', `('a', 1, 1), (null, 1, 2)`],
])('one in which an identity is %s is not closed until that is gone', async (_, values) => {
  await withSession(metadata.db, async (session) => {
    const by = { syncId: crypto.randomUUID(), executionId: crypto.randomUUID() };
    const number = await createBaseline(session, by, '0');
    await session.query(`insert into ${baselineTable(number)} (record_key, hash, n) values ${values}`);
    expect(await closeBaseline(session, number)).toBe(false);
    await session.query(`delete from ${baselineTable(number)} where n = 2`);
    expect(await closeBaseline(session, number)).toBe(true);
  });
});
