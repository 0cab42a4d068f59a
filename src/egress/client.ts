import { Agent } from 'undici';
import { addressPolicy } from './addresses.ts';
import { guardedConnector, type Resolve, systemResolve } from './connector.ts';
import { type Egress, EgressError, type EgressRequest, type EgressResponse } from './contract.ts';
import { Exchange } from './exchange.ts';
import { toEgressError } from './failure.ts';
import { parseUrl } from './parse-url.ts';
import { stream } from './stream.ts';

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
    stream: (request) => stream(agent, request),
    close: () => agent.destroy(),
  };
}

async function exchange(agent: Agent, request: EgressRequest): Promise<EgressResponse> {
  const { origin, pathname, search } = parseUrl(request.url);
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
  const others = signal && underWay(signal);
  others?.push(exchange);
  try {
    signal?.throwIfAborted();
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
    if (others !== undefined) remove(exchange, others);
  }
}

/** Lists: the tables that a Set has outgrown keep what went through it, bodies included, in memory for long. */
const bySignal = new WeakMap<AbortSignal, Exchange[]>();

/** What ends with a signal. One listener for all: adding one compares it with every other that is there. */
function underWay(signal: AbortSignal): Exchange[] {
  const known = bySignal.get(signal);
  if (known !== undefined) return known;
  const exchanges: Exchange[] = [];
  bySignal.set(signal, exchanges);
  signal.addEventListener('abort', () => {
    for (const exchange of [...exchanges]) exchange.giveUp(new Error('given up'));
  });
  return exchanges;
}

function remove(exchange: Exchange, exchanges: Exchange[]): void {
  const last = exchanges.pop();
  if (last !== undefined && last !== exchange) exchanges[exchanges.indexOf(exchange)] = last;
}
