import { expect, test } from 'vitest';
import { type RenderedColumn, RowText } from './row-text.ts';

const columns: RenderedColumn[] = [{ rendering: 'number' }, { rendering: 'text' }];
/** Behind the row, as in a chunk that has more of them. */
const more = [1, 0x39, 1, 0x39];

function line(row: number[]): string {
  const text = new RowText(columns);
  const out = Buffer.alloc(text.room(row.length));
  return out.toString('latin1', 0, text.line(Buffer.from([...row, ...more]), 0, row.length, out, 0));
}

test('a row becomes a line', () => {
  expect(line([1, 0x37, 2, 0x61, 0x62])).toBe('7\tab\n');
  expect(line([0xfb, 0xfc, 1, 0, 0x61])).toBe('\\N\ta\n');
});

test.each([
  ['a length past the end', [1, 0x37, 9, 0x61]],
  ['a length of two bytes past the end', [1, 0x37, 0xfc, 0xff, 0xff, 0x61]],
  ['a length of eight bytes past the end', [1, 0x37, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
  ['half a length', [1, 0x37, 0xfe, 0xff]],
  ['a value that is missing', [1, 0x37]],
  ['nothing', []],
])('a row with %s is refused, and nothing behind it is read', (_, row) => {
  expect(() => line(row)).toThrow('malformed row');
});
