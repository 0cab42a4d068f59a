import { expect, test } from 'vitest';
import { type CopyRow, decodeCopyText, encodeCopyText, unescaped } from './copy-text.ts';

async function decode(chunks: Buffer[]): Promise<CopyRow[]> {
  const rows: CopyRow[] = [];
  for await (const batch of decodeCopyText(
    (async function* () {
      yield* chunks;
    })(),
  ))
    rows.push(...batch);
  return rows;
}

const rows: CopyRow[] = [
  ['plain', null, ''],
  ['\\N', '\\', 'a\\tb'],
  ['tab\there', 'line\nbreak', 'carriage\rreturn'],
  ['€ 🌊', '\b\f\v', '\\x41'],
  ['{"a":"\\u00e9"}', '\\.', ' '],
];

test('what is encoded is decoded as it was, wherever the bytes are cut', async () => {
  const bytes = Buffer.from(encodeCopyText(rows));
  expect(await decode([bytes])).toEqual(rows);
  for (let cut = 1; cut < bytes.length; cut++) {
    expect(await decode([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(rows);
  }
  expect(await decode([...bytes].map((byte) => Buffer.from([byte])))).toEqual(rows);
});

test('a long field has the same escapes as a short one', () => {
  const pieces = [
    '\\\\',
    '\\n',
    '\\t',
    '\\101',
    '\\x42',
    '\\351',
    '\\é',
    '\\🌊',
    'é',
    'plain',
    '\\\\\\b',
    '\\x',
    '\\7x',
  ];
  const short = Array.from(
    { length: 500 },
    (_, index) => pieces[(index * index + 3 * index) % pieces.length],
  ).join('');
  const long = short.repeat(200);
  expect(unescaped(long)).toBe(unescaped(short).repeat(200));
  for (const piece of pieces) {
    const padding = 'x'.repeat(70_000);
    expect(unescaped(padding + piece)).toBe(padding + unescaped(piece));
  }
});

test('the escapes that PostgreSQL writes', async () => {
  const [row] = await decode([Buffer.from('\\b\\f\\n\\r\\t\\v\\\\\t\\101\\x42\t\\N\n')]);
  expect(row).toEqual(['\b\f\n\r\t\v\\', 'AB', null]);
});
