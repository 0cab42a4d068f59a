import { ConfigError } from '../config.ts';

/** A server and the right to use it. */
export interface ServerAccess {
  url: string;
  apiKey: string;
}

/** A client of the public API, as small as one can be. */
export interface Client {
  get<Data>(path: string): Promise<Data>;
  post<Data>(path: string, body?: object): Promise<Data>;
}

/** Its calls throw ConfigError with the server's own words when it refuses, or when it does not answer. */
export function createClient({ url, apiKey }: ServerAccess): Client {
  const call = async <Data>(method: string, path: string, body?: object): Promise<Data> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${apiKey}`,
        'x-polytomic-version': '2025-09-18',
        // What the server does not read is a mistake of ours, not to be passed over.
        'tidemark-strict': 'true',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch((cause: unknown) => {
      throw new ConfigError(`${url} does not answer: is the server running?`, { cause });
    });
    const text = await response.text();
    const { data, message } = parse(text);
    if (!response.ok) {
      throw new ConfigError(`${method} ${path}: ${message ?? `${url} answered ${response.status} ${text}`}`);
    }
    return data as Data;
  };
  return {
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body),
  };
}

/** What stands in front of a server may answer with a page of its own. */
function parse(text: string): { data?: unknown; message?: string } {
  try {
    return JSON.parse(text) as { data?: unknown; message?: string };
  } catch {
    return {};
  }
}
