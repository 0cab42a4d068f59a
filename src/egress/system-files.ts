import { readFile, stat } from 'node:fs/promises';
import net from 'node:net';
import { domainToASCII } from 'node:url';

/** Milliseconds between looks whether a file has changed. */
const lookInterval = 1000;

/** A file of the system in parsed form, read again when it has changed. One that cannot be read is empty. */
export class SystemFile<Content> {
  readonly #file: string;
  readonly #parse: (text: string) => Content;
  #looked = Number.NEGATIVE_INFINITY;
  #version = '';
  #content: Promise<Content>;

  constructor(file: string, parse: (text: string) => Content) {
    this.#file = file;
    this.#parse = parse;
    this.#content = Promise.resolve(parse(''));
  }

  read(): Promise<Content> {
    const now = performance.now();
    if (now - this.#looked < lookInterval) return this.#content;
    this.#looked = now;
    const known = this.#content;
    this.#content = this.#look(known).catch(() => known);
    return this.#content;
  }

  async #look(known: Promise<Content>): Promise<Content> {
    const found = await stat(this.#file).catch(() => undefined);
    const version = found === undefined ? 'none' : `${found.mtimeMs} ${found.size} ${found.ino}`;
    if (version === this.#version) return known;
    const text = found === undefined ? '' : await readFile(this.#file, 'utf8');
    this.#version = version;
    return this.#parse(text);
  }
}

/** Addresses by name, in the file's order. */
export type Hosts = ReadonlyMap<string, readonly string[]>;

export function parseHosts(text: string): Hosts {
  const hosts = new Map<string, string[]>();
  for (const [address = '', ...names] of wordsOfLines(text)) {
    if (net.isIP(address) === 0) continue;
    for (const name of names.map(hostKey)) {
      const known = hosts.get(name) ?? [];
      if (!known.includes(address)) hosts.set(name, [...known, address]);
    }
  }
  return hosts;
}

/** A name as it is compared: as ASCII, in lower case, without the dot at the end. */
export function hostKey(name: string): string {
  return (domainToASCII(name) || name).toLowerCase().replace(/\.$/, '');
}

/** What resolv.conf says beside the servers, which c-ares reads itself. */
export interface Search {
  domains: readonly string[];
  /** From so many dots on a name is first looked up as it is. */
  dots: number;
}

export function parseSearch(text: string): Search {
  let [domains, dots]: [string[], number] = [[], 1];
  for (const [keyword, ...words] of wordsOfLines(text)) {
    // The last one counts. "." stands for none.
    if (keyword === 'search' || keyword === 'domain') {
      domains = words.map((word) => word.replace(/\.$/, '')).filter((word) => word !== '');
    }
    if (keyword !== 'options') continue;
    for (const word of words) dots = Number(/^ndots:(\d{1,2})$/.exec(word)?.[1] ?? dots);
  }
  return { domains, dots };
}

function wordsOfLines(text: string): string[][] {
  return text.split('\n').map((line) =>
    line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/),
  );
}
