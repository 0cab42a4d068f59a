import { expect, test } from 'vitest';
import { testDatabase } from '../../test/support/database.ts';
import { floatText } from './float-text.ts';

const view = new DataView(new ArrayBuffer(8));
const powers = Array.from({ length: 160 }, (_, index) => 2 ** (index - 80));
/** Of every size: any bits, amounts of money, and the places where the exponent begins. */
const doubles = Array.from({ length: 3000 }, (_, index) => {
  if (index % 3 === 0) return Math.round(Math.random() * 1e8) / 10 ** (index % 12);
  if (index % 3 === 1) return (Math.random() - 0.5) * 10 ** ((index % 40) - 15);
  view.setUint32(0, Math.random() * 2 ** 32);
  view.setUint32(4, Math.random() * 2 ** 32);
  return view.getFloat64(0);
}).filter(Number.isFinite);

test.each([
  [
    'double',
    'float8',
    [...doubles, ...powers, 0, -0, 1e15, 123456789012345, 5e-324, 43062883179151904, 53314983727665296],
  ],
  [
    'single',
    'float4',
    [...doubles, ...powers, 0, -0, 1e6, 999999, 1e-45].map(Math.fround).filter(Number.isFinite),
  ],
] as const)('a %s has the text that PostgreSQL gives it', async (precision, type, numbers) => {
  const database = await testDatabase();
  const rows = await database.query<{ text: string }>(
    `select x::${type}::text as text from unnest($1::text[]) with ordinality u (x, n) order by n`,
    [numbers.map((number) => (Object.is(number, -0) ? '-0' : String(number)))],
  );
  const texts = numbers.map((number) => (Object.is(number, -0) ? '-0' : String(number)));
  expect(texts.map((text) => floatText(text, precision))).toEqual(rows.map(({ text }) => text));
});
