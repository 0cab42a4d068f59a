import { expect, test } from 'vitest';
import { type CopyRow, decodeCopyText, encodeCopyText } from './copy-text.ts';

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

test('the escapes that PostgreSQL writes', async () => {
  const [row] = await decode([Buffer.from('\\b\\f\\n\\r\\t\\v\\\\\t\\101\\x42\t\\N\n')]);
  expect(row).toEqual(['\b\f\n\r\t\v\\', 'AB', null]);
});
