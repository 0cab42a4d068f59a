import { isIPv6 } from 'node:net';

/** Failures that an address has at once, and milliseconds in which it gets one back. */
const usualMost = 20;
const refill = 3000;
/** Addresses that are remembered: more than that are not slowed down for being many. */
const remembered = 10_000;

/**
 * Failed authentications by address. Whoever has a valid key is never kept out by what others behind the same address send:
 * only failures count, and only failures are refused. That a key cannot be guessed is due to its length.
 */
export class FailedAttempts {
  /** When an address has all its failures back. In the order of their last failures. */
  readonly #until = new Map<string, number>();
  readonly #now: () => number;
  readonly #most: () => number | undefined;

  constructor(now = () => performance.now(), most: () => number | undefined = () => undefined) {
    this.#now = now;
    this.#most = most;
  }

  /** Counts one. @returns undefined, or seconds until one more is answered. */
  failed(address: string): number | undefined {
    const from = networkOf(address);
    const now = this.#now();
    const until = Math.max(this.#until.get(from) ?? now, now) + refill;
    const wait = until - now - (this.#most() ?? usualMost) * refill;
    this.#until.delete(from);
    // What is refused does not count: who waits as long as asked is answered.
    this.#until.set(from, wait > 0 ? until - refill : until);
    const [oldest] = this.#until.keys();
    if (this.#until.size > remembered && oldest !== undefined) this.#until.delete(oldest);
    return wait > 0 ? Math.ceil(wait / 1000) : undefined;
  }
}

/** One customer has a whole /64 of IPv6. */
function networkOf(address: string): string {
  const bare = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(bare)) return bare;
  const [head = '', tail] = bare.split('::');
  const groups = head.split(':').filter((group) => group !== '');
  const rest = tail === undefined ? [] : tail.split(':').filter((group) => group !== '');
  const all = [...groups, ...Array<string>(Math.max(0, 8 - groups.length - rest.length)).fill('0'), ...rest];
  return all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16))
    .join(':');
}
