import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pack, unpack } from './packed-record.ts';

test('what is packed comes back: NULL, empty, and the characters that keep fields apart', () => {
  const value = fc.option(
    fc.oneof(fc.string(), fc.constantFrom('', '\0', 'a\0b', '\x1c', '\x1d', '\x1e', '\x1f', '[]', 'a\x1fb')),
  );
  fc.assert(
    fc.property(fc.array(value, { minLength: 1 }), (values) => {
      expect(unpack(pack(values))).toEqual(values);
      expect(pack(values)).not.toContain('\0');
    }),
  );
});
