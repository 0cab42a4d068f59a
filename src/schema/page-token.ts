import { TidemarkError } from '../errors.ts';

/** Opaque to clients: the parts of a keyset position. */
export function encodePageToken(parts: readonly string[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/**
 * The parts of a token, each checked.
 *
 * @param valid whether a part is one, for every part in order.
 * @throws invalid_field for a token that was not given out: starting over would repeat its pages.
 */
export function decodePageToken(token: string, ...valid: readonly ((part: string) => boolean)[]): string[] {
  const parts = parse(token);
  const ours =
    Array.isArray(parts) &&
    parts.length === valid.length &&
    parts.every((part, index) => typeof part === 'string' && valid[index]?.(part));
  if (ours) return parts;
  throw notGivenOut('page_token');
}

/** For a cursor of any form. @param field that it came in. */
export function notGivenOut(field: string): TidemarkError {
  return new TidemarkError('invalid_field', { field, reason: 'is not one this list gave out' });
}

function parse(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
