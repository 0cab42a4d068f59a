import { Agent, request as send } from 'undici';
import { messageOf } from '../errors.ts';
import { addressPolicy } from './addresses.ts';
import { guardedConnector, type Resolve, systemResolve } from './connector.ts';
import {
  type Egress,
  EgressError,
  type EgressFailure,
  type EgressRequest,
  type EgressResponse,
} from './contract.ts';
import { timingOf } from './timing.ts';

/** Bytes of a response that are read; the rest is nobody's business and may have no end. */
const maxResponse = 64 * 1024;

/** @param options.allow CIDR ranges that are let through although they are private. @throws for a bad range. */
export function createEgress(options: { allow: readonly string[]; resolve?: Resolve }): Egress {
  const agent = new Agent({
    connect: guardedConnector(addressPolicy(options.allow), options.resolve ?? systemResolve),
    // One request per connection at a time; idle ones are kept a little for the next event.
    pipelining: 1,
    keepAliveTimeout: 10_000,
    keepAliveMaxTimeout: 30_000,
    maxHeaderSize: 16 * 1024,
  });
  return {
    request: (request) => exchange(agent, request),
    close: () => agent.destroy(),
  };
}

async function exchange(agent: Agent, request: EgressRequest): Promise<EgressResponse> {
  const url = parse(request.url);
  // One controller and one timer: AbortSignal.any and AbortSignal.timeout cost several times as much.
  const controller = new AbortController();
  const { signal } = controller;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    controller.abort();
  }, request.deadline);
  const giveUp = () => controller.abort();
  request.signal?.addEventListener('abort', giveUp);
  if (request.signal?.aborted) giveUp();
  const started = performance.now();
  const payload = typeof request.body === 'string' ? Buffer.from(request.body) : (request.body ?? null);
  try {
    const { statusCode, headers, body } = await send(url, {
      dispatcher: agent,
      method: request.method,
      // Compressed answers would have to be inflated to be shown: a small one can become a very large one.
      headers: { 'accept-encoding': 'identity', ...request.headers },
      body: payload,
      signal,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const answered = performance.now();
    const received = await readUpTo(body, maxResponse);
    const timing = timingOf(payload, started, answered);
    return { status: statusCode, headers: flatten(headers), body: received, timing };
  } catch (error) {
    if (request.signal?.aborted) throw error;
    if (late) {
      throw new EgressError('timeout', `no complete response within ${request.deadline} ms`, {
        cause: error,
      });
    }
    throw toEgressError(error);
  } finally {
    clearTimeout(timer);
    request.signal?.removeEventListener('abort', giveUp);
  }
}

function parse(text: string): URL {
  if (!URL.canParse(text)) throw new EgressError('invalid_url', `${text} is not a URL`);
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new EgressError('invalid_url', `${url.protocol} is not http: or https:`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new EgressError('invalid_url', 'credentials do not belong into the URL');
  }
  // A trailing dot names the same host and would slip past a check of the name.
  url.hostname = url.hostname.replace(/\.$/, '');
  return url;
}

/** The beginning of a body. Breaking out of the loop destroys the stream and with it the connection. */
async function readUpTo(body: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk.subarray(0, limit - size));
    size += chunk.length;
    if (size >= limit) break;
  }
  return Buffer.concat(chunks);
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) flat[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return flat;
}

function toEgressError(error: unknown): EgressError {
  if (error instanceof EgressError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const [failure, words] = describe(code);
  return new EgressError(failure, `${words} (${messageOf(error)})`, { cause: error });
}

function describe(code: string): [EgressFailure, string] {
  if (/^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EACCES)$/.test(code)) {
    return ['connect', 'the connection was refused or the host cannot be reached'];
  }
  if (/^(UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/.test(code)) return ['timeout', 'the connection took too long'];
  if (/^(ENOTFOUND|EAI_)/.test(code)) return ['dns', 'the name does not resolve'];
  if (/(CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO)/.test(code)) return ['tls', 'the TLS handshake failed'];
  return ['reset', 'the connection broke before the response was complete'];
}
