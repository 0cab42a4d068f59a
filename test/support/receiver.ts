import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedRequest {
  method: string;
  url: string;
  headers: http.IncomingHttpHeaders;
  /** As it came over the wire. */
  body: Buffer;
}

/** How to answer: a status, or something a broken endpoint does. */
export type Behaviour =
  | number
  | 'hang'
  | 'reset'
  | 'drip'
  | 'huge'
  | { redirect: string }
  | { status: number; headers?: Record<string, string>; body?: string | Buffer };

type Choose = (
  request: ReceivedRequest,
  index: number,
) => Behaviour | undefined | Promise<Behaviour | undefined>;

/** A real HTTP server for what Tidemark sends, that can misbehave. */
export interface Receiver {
  url: string;
  requests: ReceivedRequest[];
  /** What to do with the n-th request (from 0) to a path; answers 200 when it returns undefined. */
  behave(choose: Choose): void;
  /** Resolves once that many requests have arrived. */
  received(count: number): Promise<ReceivedRequest[]>;
  /** Breaks every connection, hanging requests included. */
  drop(): void;
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const requests: ReceivedRequest[] = [];
  let choose: Choose = () => 200;
  let waiting: { count: number; resolve: (value: ReceivedRequest[]) => void }[] = [];
  const timers = new Set<NodeJS.Timeout>();

  const server = http.createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const request = {
      method: incoming.method ?? '',
      url: incoming.url ?? '',
      headers: incoming.headers,
      body: Buffer.concat(chunks),
    };
    requests.push(request);
    for (const one of waiting) if (requests.length >= one.count) one.resolve(requests);
    waiting = waiting.filter((one) => requests.length < one.count);
    respond(response, (await choose(request, requests.length - 1)) ?? 200);
  });

  const respond = (response: http.ServerResponse, behaviour: Behaviour) => {
    if (typeof behaviour === 'number') response.writeHead(behaviour).end('answered');
    else if (typeof behaviour === 'object' && 'redirect' in behaviour)
      response.writeHead(302, { location: behaviour.redirect }).end();
    else if (typeof behaviour === 'object')
      response.writeHead(behaviour.status, behaviour.headers).end(behaviour.body);
    else if (behaviour === 'reset') response.destroy();
    else if (behaviour === 'drip') {
      response.writeHead(200);
      timers.add(setInterval(() => response.write('.'), 50));
    } else if (behaviour === 'huge') {
      response.writeHead(200);
      const pour = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) {}
      };
      response.on('drain', pour);
      pour();
    }
  };

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    behave(next) {
      choose = next;
    },
    received(count) {
      if (requests.length >= count) return Promise.resolve(requests);
      return new Promise((resolve) => waiting.push({ count, resolve }));
    },
    drop: () => server.closeAllConnections(),
    async close() {
      for (const timer of timers) clearInterval(timer);
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
