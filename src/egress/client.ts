import type net from 'node:net';
import { addressPolicy } from './addresses.ts';
import { Connections } from './connections.ts';
import { type Egress, EgressError, type EgressRequest, type EgressResponse } from './contract.ts';
import { Exchange } from './exchange.ts';
import { toEgressError } from './failure.ts';
import { Names, type Resolve } from './names.ts';
import { parseUrl } from './parse-url.ts';
import { guardedReach, type Reach } from './reach.ts';
import { stream } from './stream.ts';

export interface EgressOptions {
  /** CIDR ranges that are let through although they are private. */
  allow: readonly string[];
  /** Ports of this machine that nothing is let through to, whatever is allowed. */
  ownPorts?: readonly number[];
  /** Otherwise names are what this machine's hosts file and DNS servers say. */
  resolve?: Resolve;
  names?: Names;
}

/** @throws for a bad range. */
export function createEgress({ allow, ownPorts, resolve, names }: EgressOptions): Egress {
  const reach = guardedReach(addressPolicy(allow, ownPorts), resolve ?? names ?? new Names());
  const connections = new Connections(reach);
  const ended = new AbortController();
  const of = (tenant: string): Egress => ({
    request: (request) => exchange(connections, tenant, request),
    stream: (request) => stream(connections, tenant, request),
    connect: (destination) => connect(reach, { ...destination, tenant }, ended.signal),
    of,
    async close() {
      ended.abort(new EgressError('reset', 'this process stops'));
      await connections.close();
    },
  });
  return of('');
}

async function connect(
  reach: Reach,
  { signal, ...destination }: Parameters<Egress['connect']>[0] & { tenant: string },
  ended: AbortSignal,
): Promise<net.Socket> {
  const either = signal === undefined ? ended : AbortSignal.any([signal, ended]);
  try {
    return (await reach({ ...destination, signal: either })).socket;
  } catch (error) {
    if (either.aborted) throw error;
    throw toEgressError(error);
  }
}

async function exchange(
  connections: Connections,
  tenant: string,
  request: EgressRequest,
): Promise<EgressResponse> {
  const { origin, pathname, search } = parseUrl(request.url);
  const body = typeof request.body === 'string' ? Buffer.from(request.body) : (request.body ?? null);
  const { signal, deadline } = request;
  signal?.throwIfAborted();
  const connection = connections.take(origin, tenant);
  const ended = Promise.withResolvers<EgressResponse>();
  let isSettled = false;
  const exchange = new Exchange(connection, (outcome, inOrder) => {
    // A connection that ends reports it to whoever had it, once more.
    if (isSettled) return;
    isSettled = true;
    if (outcome instanceof Error) {
      ended.reject(outcome);
      connections.drop(connection, outcome);
      return;
    }
    ended.resolve(outcome);
    if (inOrder) connections.leave(connection);
    else connections.drop(connection, new Error('the response was not read to its end'));
  });
  const timer = setTimeout(
    () => exchange.giveUp(new EgressError('timeout', `no complete response within ${deadline} ms`)),
    deadline,
  );
  const others = signal && underWay(signal);
  others?.push(exchange);
  try {
    connection.send(
      {
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
    exchange.giveUp(error as Error);
    throw signal?.aborted ? error : connection.explain(error);
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
