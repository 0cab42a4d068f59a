import { expect, test } from 'vitest';
import { ByteWriter } from '../lib/byte-writer.ts';
import { decodeRow, encodeCopyText } from '../lib/copy-text.ts';
import { wholeLines } from '../lib/whole-lines.ts';
import { nestValues, unnestValues } from './nested-line.ts';
import { type PlanPart, partsOfLines, partsOfRows } from './plan-parts.ts';
import { decodePieces } from './plan-pieces.ts';
import { PlannedBatch } from './planned-batch.ts';

const records: { key: string | null; hash: string; values: (string | null)[] }[] = [
  { key: '1', hash: '-0', values: ['a', null, ''] },
  { key: 'tab\there', hash: '-1', values: ['line\nbreak', 'back\\slash', '\\N'] },
  { key: 'é€🌊', hash: '9', values: ['\x1f', 'plain', null] },
  { key: '\x1e', hash: '8', values: ['\x1d', '\x1c', 'a\r\b\f\v'] },
  { key: '\\\\', hash: '7', values: ['', '', ''] },
  { key: '7', hash: '6', values: [' '.repeat(9000), '\\'.repeat(50), '\t\\t'.repeat(3000)] },
];
const lines = Buffer.from(encodeCopyText(records.map(({ key, hash, values }) => [key, hash, ...values])));

async function* cut(chunks: Iterable<Buffer>) {
  yield* chunks;
}

/** What is in pieces, as a plan gives it. */
async function read(parts: PlanPart[]): Promise<PlannedBatch> {
  const found: { parts: Buffer[]; pieces: number }[] = await Promise.all(
    parts.map(({ pieces }) => {
      // As of one column: the two before it are of a fixed length.
      const rows: Buffer[] = [pieces.subarray(0, 19)];
      for (let at = 19; pieces.readInt16BE(at) === 3; ) {
        const end = at + 26 + pieces.readInt32BE(at + 22);
        rows.push(Buffer.from([0, 1]), pieces.subarray(at + 22, end));
        at = end;
      }
      return decodePieces(cut([...rows, Buffer.from([255, 255])]), Number.POSITIVE_INFINITY);
    }),
  );
  return new PlannedBatch(Buffer.concat(found.flatMap(({ parts }) => parts)));
}

function checkKeys(parts: PlanPart[], batch: PlannedBatch) {
  const keys = parts.flatMap((part) => part.keys.toString().split('\n').slice(0, -1).map(decodeRow));
  expect(keys.map((row) => row.slice(0, 3))).toEqual(
    batch.records.map(({ n, key, hash }) => [String(n), key, hash]),
  );
  expect(parts.reduce((sum, { count }) => sum + count, 0)).toBe(batch.length);
}

test('lines are planned as they come, wherever their bytes are cut', async () => {
  const expected = records.map((record, index) => ({ n: index + 1, ...record }));
  const planned = (chunks: Buffer[]) => Array.fromAsync(partsOfLines(wholeLines(cut(chunks))));
  const cuts = [[lines], [...lines].map((byte) => Buffer.from([byte]))];
  for (let at = 1; at < 120; at++) cuts.push([lines.subarray(0, at), lines.subarray(at)]);
  for (const chunks of cuts) {
    const parts = await planned(chunks);
    const batch = await read(parts);
    expect(batch.records).toEqual(expected);
    checkKeys(parts, batch);
  }
});

test('rows are planned as lines are, with what is wrong with them, and may have a NUL', async () => {
  const rows = [
    ...records,
    { key: 'x', hash: '5', values: ['a\0b', null, 'c'], problem: 'half of it is missing' },
  ];
  const parts = await Array.fromAsync(partsOfRows(cutRows()));
  async function* cutRows() {
    yield rows.slice(0, 2);
    yield [];
    yield rows.slice(2);
  }
  const batch = await read(parts);
  expect(batch.records.map(({ key, values }) => [key, values])).toEqual(
    rows.map(({ key, values }) => [key, values]),
  );
  checkKeys(parts, batch);
  expect(parts.at(-1)?.keys.toString()).toMatch(/\tx\t5\thalf of it is missing\n$/);
});

test('a record without values, and one whose identity is NULL', async () => {
  const parts = await Array.fromAsync(partsOfLines(cut([Buffer.from('k\t1\n\\N\t2\n')])));
  expect(parts.map(({ keys }) => keys.toString())).toEqual(['1\tk\t1\n2\t\\N\t2\n']);
  expect((await read(parts)).record(0)).toEqual({ n: 1, key: 'k', hash: '1', values: [] });
});

test('many lines: every one has its number', async () => {
  const many = Array.from({ length: 120_000 }, (_, index) => `k${index}\t${index}\tv\n`).join('');
  const parts = await Array.fromAsync(partsOfLines(cut([Buffer.from(many.repeat(2))])));
  expect(parts).toHaveLength(1);
  const batch = await read(parts);
  expect(batch.length).toBe(240_000);
  expect(batch.records.every(({ n }, index) => n === index + 1)).toBe(true);
});

test('values that are nested in a field come out as they were', () => {
  const nested = new ByteWriter(10);
  const out = new ByteWriter(10);
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf(0x0a, start);
    nested.clear();
    nestValues(nested, lines, start, end);
    const [, , values, ...more] = decodeRow(nested.written().toString().slice(0, -1));
    expect(more).toEqual([]);
    expect(values).toBe(lines.toString('utf8', start, end).split('\t').slice(2).join('\t'));
    out.clear();
    unnestValues(out, nested.bytes, 0, nested.at - 1);
    expect(out.written()).toEqual(lines.subarray(start, end));
    start = end + 1;
  }
});
