import { Agent } from 'undici';
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
import { Exchange } from './exchange.ts';

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
  const { origin, pathname, search } = parse(request.url);
  const body = typeof request.body === 'string' ? Buffer.from(request.body) : (request.body ?? null);
  const { signal, deadline } = request;
  const ended = Promise.withResolvers<EgressResponse>();
  const exchange = new Exchange(body, (outcome) => {
    if (outcome instanceof Error) ended.reject(outcome);
    else ended.resolve(outcome);
  });
  const timer = setTimeout(
    () => exchange.giveUp(new EgressError('timeout', `no complete response within ${deadline} ms`)),
    deadline,
  );
  const abort = () => exchange.giveUp(new Error('given up'));
  signal?.addEventListener('abort', abort);
  try {
    if (signal?.aborted) abort();
    else
      agent.dispatch(
        {
          origin,
          path: pathname + search,
          method: request.method,
          // Compressed answers would have to be inflated to be shown: a small one can become a very large one.
          headers: { 'accept-encoding': 'identity', ...request.headers },
          body,
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        exchange,
      );
    return await ended.promise;
  } catch (error) {
    if (signal?.aborted) throw error;
    throw toEgressError(error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
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
