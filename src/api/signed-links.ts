import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../db/index.ts';

/** Links stay good this long (ms): enough for a download that starts late, short if one leaks. */
const lifetime = 15 * 60_000;

export interface SignedLinks {
  /** A path with a query that lets anyone read it until `expires`. */
  sign(path: string): { path: string; expires: Date };
  /** @param query of the request. */
  verify(path: string, query: { expires?: string | undefined; signature?: string | undefined }): boolean;
}

/** Links that carry their own permission, for files that are handed to programs without a credential. */
export function signedLinks(key: Buffer, clock: Clock): SignedLinks {
  const signature = (path: string, expires: number) =>
    createHmac('sha256', key).update(`${expires}\n${path}`).digest();
  return {
    sign(path) {
      const expires = Math.round(clock.now()) + lifetime;
      const query = `expires=${expires}&signature=${signature(path, expires).toString('base64url')}`;
      return { path: `${path}?${query}`, expires: new Date(expires) };
    },
    verify(path, query) {
      const expires = Number(query.expires);
      if (!Number.isSafeInteger(expires) || expires < clock.now() || query.signature === undefined)
        return false;
      const given = Buffer.from(query.signature, 'base64url');
      const expected = signature(path, expires);
      return given.length === expected.length && timingSafeEqual(given, expected);
    },
  };
}
