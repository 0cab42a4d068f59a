import { hash } from 'node:crypto';

/** A signed 64-bit hash, as decimal text: for records whose source cannot hash them itself. */
export function hash64(text: string): string {
  return hash('sha256', text, 'buffer').readBigInt64BE().toString();
}
