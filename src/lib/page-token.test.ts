import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodePageToken, encodePageToken } from './page-token.ts';

test('what was encoded comes back; nothing else does', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (parts) => {
      expect(decodePageToken(encodePageToken(parts), parts.length)).toEqual(parts);
      expect(decodePageToken(encodePageToken(parts), parts.length + 1)).toBeUndefined();
    }),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      const parts = decodePageToken(text, 2);
      expect(parts === undefined || parts.length === 2).toBe(true);
    }),
  );
});
