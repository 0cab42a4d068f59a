import { expect, test } from 'vitest';
import { decodeCopyText, encodeCopyText } from '../lib/copy-text.ts';
import { pack } from '../lib/packed-record.ts';
import { wholeLines } from '../lib/whole-lines.ts';
import { LinePacker } from './line-packer.ts';

const records: [key: string | null, values: (string | null)[]][] = [
  ['1', ['a', null, '']],
  [null, [null, null, null]],
  ['tab\there', ['line\nbreak', 'back\\slash', '\\N']],
  ['é€🌊', ['\x1f', 'plain', null]],
  ['\x1e', ['\x1d', '\x1c', 'a\r\b\f\v']],
  ['6', ['', '', '']],
  ['7', [' '.repeat(3000), '\\'.repeat(50), '\x1e'.repeat(3000)]],
];
const lines = Buffer.from(
  encodeCopyText(records.map(([key, values], index) => [key, `-${index}`, ...values])),
);

async function packed(chunks: Buffer[]): Promise<unknown[]> {
  async function* cut() {
    yield* chunks;
  }
  const pieces = await Array.fromAsync(new LinePacker().packed(wholeLines(cut())));
  const rowsOf = async (bytes: Buffer[]) => {
    async function* chunks() {
      yield* bytes;
    }
    return (await Array.fromAsync(decodeCopyText(chunks()))).flat();
  };
  const rows = await rowsOf(pieces.map(({ records }) => records));
  expect(await rowsOf(pieces.map(({ keys }) => keys))).toEqual(rows.map((row) => row.slice(0, 3)));
  expect(pieces.reduce((sum, { count }) => sum + count, 0)).toBe(rows.length);
  return rows;
}

const expected = records.map(([key, values], index) => [String(index + 1), key, `-${index}`, pack(values)]);

test('lines are packed as records are, wherever the bytes are cut', async () => {
  expect(await packed([lines])).toEqual(expected);
  for (let at = 1; at < 200; at++)
    expect(await packed([lines.subarray(0, at), lines.subarray(at)])).toEqual(expected);
  expect(await packed([...lines].map((byte) => Buffer.from([byte])))).toEqual(expected);
});

test('octal and hexadecimal escapes, and a record without fields', async () => {
  expect(await packed([Buffer.from('k\t1\t\\101\\x42\\037\nk\t2\n')])).toEqual([
    ['1', 'k', '1', pack(['AB\x1f'])],
    ['2', 'k', '2', pack([])],
  ]);
});

test('many lines: every one has its number', async () => {
  const many = Array.from({ length: 120_000 }, (_, index) => `k${index}\t${index}\tv\n`).join('');
  const rows = await packed([Buffer.from(many)]);
  expect(rows.at(-1)).toEqual(['120000', 'k119999', '119999', 'v']);
  expect(rows.every((row, index) => (row as string[])[0] === String(index + 1))).toBe(true);
});
