import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMetadataDatabase, type MetadataDatabase } from '../../test/support/database.ts';
import { withSession } from '../db/index.ts';
import { encodeCopyText } from '../lib/copy-text.ts';
import { PieceWriter } from './plan-pieces.ts';
import {
  countAfter,
  createPlan,
  readAhead,
  readKeysAside,
  readStretch,
  setAside,
  writePieces,
} from './planned-records.ts';

let metadata: MetadataDatabase;
beforeAll(async () => {
  metadata = await createMetadataDatabase();
});
afterAll(() => metadata[Symbol.asyncDispose]());

const megabyte = 1024 * 1024;
const upTo = (n: number) => Array.from({ length: n }, (_, index) => index + 1);

/** A plan of so many records. */
async function planOf(count: number, text: (n: number) => string = () => 'x'): Promise<number> {
  return withSession(metadata.db, async (session) => {
    const plan = await createPlan(session, crypto.randomUUID(), crypto.randomUUID());
    const writer = new PieceWriter(64 * 1024);
    for (let n = 1; n <= count; n++) {
      const line = Buffer.from(encodeCopyText([[`k\t${n}`, String(-n), text(n)]]));
      writer.add(line, 0, line.length - 1);
      if (writer.isFull) await writePieces(session, plan, writer.take());
    }
    await writePieces(session, plan, writer.take());
    return plan;
  });
}

async function* inParts(ns: readonly number[], size: number) {
  for (let start = 0; start < ns.length; start += size) yield ns.slice(start, start + size);
}

async function readAll(plan: number, after: number, limit: number) {
  const ns: number[] = [];
  const lengths: number[] = [];
  let largest = 0;
  for await (const batch of readAhead(metadata.db, plan, after, limit)) {
    for (let index = 0; index < batch.length; index++) ns.push(batch.n(index));
    lengths.push(batch.length);
    largest = Math.max(largest, batch.lines.length);
  }
  return { ns, lengths, largest };
}

test('records that are small first and large later are all read, never many bytes at a time', async () => {
  const ns = upTo(20_000);
  const plan = await planOf(20_000, (n) => 'x'.repeat(n > 6_000 && n <= 6_040 ? megabyte : 1));
  for (const limit of [10_000, 1_000]) {
    const { ns: seen, lengths, largest } = await readAll(plan, 0, limit);
    expect(seen).toEqual(ns);
    expect(largest).toBeLessThan(10 * megabyte);
    expect(lengths.length).toBeLessThan(40);
  }
});

test('a single record may be longer than everything that is read at a time', async () => {
  const plan = await planOf(3, (n) => 'x'.repeat(n === 2 ? 20 * megabyte : n));
  expect((await readAll(plan, 0, 100)).ns).toEqual([1, 2, 3]);
  expect((await readStretch(metadata.db, plan, 2, 2)).record(0).values[0]).toHaveLength(20 * megabyte);
});

test('reading goes on behind any record, in batches that are full', async () => {
  const ns = upTo(3_000);
  const plan = await planOf(3_000, (n) => 'x'.repeat(n % 300));
  for (const after of [0, 1, 50, 51, 1_499, 2_999, 3_000]) {
    const { ns: seen, lengths } = await readAll(plan, after, 100);
    expect(seen).toEqual(ns.slice(after));
    expect(lengths.slice(0, -1).every((length) => length === 100)).toBe(true);
    expect(await countAfter(metadata.db, plan, after)).toBe(3_000 - after);
  }
});

test('a stretch is what lies between its ends', async () => {
  const plan = await planOf(2_000, (n) => 'x'.repeat(n % 300));
  for (const [first, last] of [
    [1, 1],
    [1, 2_000],
    [40, 90],
    [1_999, 2_000],
  ] as const) {
    const batch = await readStretch(metadata.db, plan, first, last);
    expect([batch.first, batch.last, batch.length]).toEqual([first, last, last - first + 1]);
    expect(batch.record(0)).toMatchObject({ key: `k\t${first}`, hash: String(-first) });
  }
});

test.each([
  ['some', (n: number) => n % 100 < 3 || (n > 500 && n < 800)],
  ['the first and the last', (n: number) => n === 1 || n === 3_000],
  ['all', () => true],
])('what is set aside is not read, and its keys are kept: %s', async (_, isAside) => {
  const ns = upTo(3_000);
  const plan = await planOf(3_000, (n) => 'x'.repeat(n % 300));
  await setAside(metadata.db, plan, inParts(ns.filter(isAside), 7));
  const left = ns.filter((n) => !isAside(n));
  expect((await readAll(plan, 0, 100)).ns).toEqual(left);
  expect(await countAfter(metadata.db, plan, 0)).toBe(left.length);
  const behind = left.filter((n) => n > (left[50] ?? 0));
  if (left[50] !== undefined) expect((await readAll(plan, left[50], 100)).ns).toEqual(behind);
  const refused = left.slice(10, 200).reverse();
  const keys = (await Array.fromAsync(readKeysAside(metadata.db, plan, refused))).flat();
  const expected = [...ns.filter(isAside), ...refused].map((n) => `k\t${n}`);
  expect(keys.sort()).toEqual(expected.sort());
});
