import dns from 'node:dns';
import { EgressError } from './contract.ts';
import type { Search } from './system-files.ts';

/** Milliseconds for all there is to ask about a name. A server that does not answer is asked once more before. */
const usualDeadline = 5000;
/** Milliseconds that addresses of one family wait for those of the other (RFC 8305, 3), and that such a half is kept. */
const otherFamily = 50;
const halfKept = 5000;

export interface DnsOptions {
  /** Otherwise those of the system. */
  servers?: readonly string[];
  deadline?: number;
}

export interface Addresses {
  addresses: readonly string[];
  /** Milliseconds that they may be used. */
  lifetime: number;
}

/** Asks DNS servers from the event loop. getaddrinfo takes a thread of the few that there are, and keeps it after any deadline. */
export class Dns {
  readonly #resolver: dns.promises.Resolver;
  readonly #deadline: number;

  constructor({ servers, deadline = usualDeadline }: DnsOptions = {}) {
    this.#deadline = deadline;
    this.#resolver = new dns.promises.Resolver({ timeout: Math.round(deadline / 3.3), tries: 2 });
    if (servers !== undefined) this.#resolver.setServers(servers);
  }

  /** @throws EgressError that says why there is none. */
  async lookUp(name: string, search: Search): Promise<Addresses> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject({ code: 'ETIMEOUT' }), this.#deadline);
    try {
      return await Promise.race([this.#search(name, search), late.promise]);
    } catch (cause) {
      throw new EgressError('dns', `the name ${name} does not resolve: ${reasonOf(cause)}`, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  /** In the order of the system's own resolver. */
  async #search(name: string, { domains, dots }: Search): Promise<Addresses> {
    const bare = name.replace(/\.$/, '');
    const longer = bare === name ? domains.map((domain) => `${bare}.${domain}`) : [];
    const isWhole = bare.split('.').length > dots;
    const [first = bare, ...others] = isWhole ? [bare, ...longer] : [...longer, bare];
    let failure: unknown;
    for (const candidate of [first, ...others]) {
      try {
        return await this.#both(candidate);
      } catch (error) {
        // A server that fails for one name may know the next; one that is silent is silent.
        if (!isAbsent(error) && codeOf(error) !== 'ESERVFAIL') throw error;
        if (failure === undefined || isAbsent(failure)) failure = error;
      }
    }
    throw failure;
  }

  /** IPv6 first. A family whose servers are silent does not hold up the other. */
  async #both(name: string): Promise<Addresses> {
    const [six, four] = [
      this.#resolver.resolve6(name, { ttl: true }),
      this.#resolver.resolve4(name, { ttl: true }),
    ];
    const both = Promise.allSettled([six, four]);
    const half = Promise.any([six, four]).then(
      (found) => later(otherFamily, both, [{ status: 'fulfilled', value: found }] as const),
      () => both,
    );
    const answers = await Promise.race([both, half]);
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (found.length > 0) {
      const known = Math.min(...found.map(({ ttl }) => ttl * 1000));
      return {
        addresses: found.map(({ address }) => address),
        lifetime: answers.length === 2 ? known : Math.min(known, halfKept),
      };
    }
    const failures = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
    throw failures.find((failure) => !isAbsent(failure)) ?? failures[0];
  }
}

/** What comes first: `value`, or `otherwise` after some milliseconds. */
async function later<Value, Other>(
  milliseconds: number,
  value: Promise<Value>,
  otherwise: Other,
): Promise<Value | Other> {
  const waited = Promise.withResolvers<Other>();
  const timer = setTimeout(waited.resolve, milliseconds, otherwise);
  try {
    return await Promise.race([value, waited.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | undefined)?.code);
}

/** There is no such name, or it has no address of the family. */
function isAbsent(error: unknown): boolean {
  return /^(ENOTFOUND|ENODATA)$/.test(codeOf(error));
}

function reasonOf(error: unknown): string {
  switch (codeOf(error)) {
    case 'ENOTFOUND':
      return 'DNS knows no such name';
    case 'ENODATA':
      return 'it has no address';
    case 'ETIMEOUT':
      return 'its DNS servers do not answer';
    case 'EBADNAME':
      return 'it is no valid name';
    default:
      return `its DNS servers fail (${codeOf(error)})`;
  }
}
