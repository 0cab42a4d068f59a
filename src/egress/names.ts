import { type Addresses, Dns, type DnsOptions } from './dns.ts';
import { type Hosts, hostKey, parseHosts, parseSearch, type Search, SystemFile } from './system-files.ts';

/** Look-ups that one tenant may have under way at a time: DNS servers of theirs that never answer cost others nothing. */
const perTenant = 16;
/** Names that are remembered, and milliseconds at most, whatever their DNS says. */
const mostNames = 10_000;
const longest = 300_000;

/** Resolves a name to every address it has. A parameter, so that a test can answer differently each time. */
export type Resolve = (
  hostname: string,
  tenant: string,
) => Promise<readonly { address: string; family: number }[]>;

export interface NamesOptions extends DnsOptions {
  hostsFile?: string;
  resolvConf?: string;
}

/** Names as this machine knows them: by its hosts file, then by its DNS servers, as long as those say it. */
export class Names {
  readonly #hosts: SystemFile<Hosts>;
  /** With a resolver of its own for each version of the file: c-ares reads its servers once. */
  readonly #dns: SystemFile<{ dns: Dns; search: Search }>;
  /** The last of the list is the newest. */
  readonly #known = new Map<string, { addresses: readonly string[]; until: number }>();
  readonly #asking = new Map<string, Promise<readonly string[]>>();
  readonly #tenants = new Map<string, { underWay: number; waiting: (() => void)[] }>();

  constructor({ hostsFile = '/etc/hosts', resolvConf = '/etc/resolv.conf', ...options }: NamesOptions = {}) {
    this.#hosts = new SystemFile(hostsFile, parseHosts);
    this.#dns = new SystemFile(resolvConf, (text) => ({ dns: new Dns(options), search: parseSearch(text) }));
  }

  /** @param tenant on whose behalf. @throws EgressError */
  async resolve(hostname: string, tenant: string): Promise<readonly string[]> {
    const key = hostKey(hostname);
    const listed = (await this.#hosts.read()).get(key) ?? loopback(key);
    return listed ?? this.#remembered(key) ?? this.#asking.get(key) ?? this.#inTurn(hostname, key, tenant);
  }

  /** Its addresses did not answer: the next one asks anew. */
  forget(hostname: string): void {
    this.#known.delete(hostKey(hostname));
  }

  async #inTurn(hostname: string, key: string, tenant: string): Promise<readonly string[]> {
    const own = this.#tenants.get(tenant) ?? { underWay: 0, waiting: [] };
    this.#tenants.set(tenant, own);
    if (own.underWay < perTenant) own.underWay++;
    else await new Promise<void>((resolve) => own.waiting.push(resolve));
    try {
      // Others may have asked while this one waited. What waits is not shared: it would wait for whoever asked first.
      return await (this.#remembered(key) ?? this.#asking.get(key) ?? this.#ask(hostname, key));
    } finally {
      const next = own.waiting.shift();
      if (next !== undefined) next();
      else if (--own.underWay === 0) this.#tenants.delete(tenant);
    }
  }

  async #ask(hostname: string, key: string): Promise<readonly string[]> {
    const dotted = hostname.endsWith('.') ? `${key}.` : key;
    const asked = this.#dns.read().then(async ({ dns, search }) => {
      const found = await dns.lookUp(dotted, search);
      this.#remember(key, found);
      return found.addresses;
    });
    this.#asking.set(key, asked);
    try {
      return await asked;
    } finally {
      this.#asking.delete(key);
    }
  }

  #remembered(key: string): readonly string[] | undefined {
    const known = this.#known.get(key);
    if (known === undefined || known.until > performance.now()) return known?.addresses;
    this.#known.delete(key);
    return undefined;
  }

  #remember(key: string, { addresses, lifetime }: Addresses): void {
    if (lifetime === 0) return;
    this.#known.delete(key);
    this.#known.set(key, { addresses, until: performance.now() + Math.min(lifetime, longest) });
    const [oldest] = this.#known.keys();
    if (this.#known.size > mostNames && oldest !== undefined) this.#known.delete(oldest);
  }
}

/** RFC 6761, 6.3: no DNS server is asked for these. */
function loopback(key: string): readonly string[] | undefined {
  return /(^|\.)localhost$/.test(key) ? ['::1', '127.0.0.1'] : undefined;
}
