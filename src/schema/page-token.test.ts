import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TidemarkError } from '../errors.ts';
import { decodePageToken, encodePageToken } from './page-token.ts';

const any = () => true;

test('what was encoded comes back', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (parts) => {
      const token = encodePageToken(parts);
      expect(decodePageToken(token, ...parts.map(() => any))).toEqual(parts);
      expect(() => decodePageToken(token, ...parts.map(() => any), any)).toThrow(TidemarkError);
    }),
  );
});

test('nothing else does, and a part that is none is refused', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String()), (text) => {
      expect(() => decodePageToken(text, any, (part) => part === 'never')).toThrow(/page_token/);
    }),
  );
});
