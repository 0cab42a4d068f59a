import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** An endpoint at its worst: what it does next is random, and it counts what it got. */
export interface ChaosReceiver {
  url: string;
  /** Complete requests, by event id. */
  received: Map<string, number>;
  /** From now on every request is answered 200. */
  behave(): void;
  close(): Promise<void>;
}

const pick = (chances: [number, string][]): string => {
  let rest = Math.random();
  for (const [chance, what] of chances) {
    rest -= chance;
    if (rest < 0) return what;
  }
  return '200';
};

export async function startChaosReceiver(): Promise<ChaosReceiver> {
  const received = new Map<string, number>();
  let good = false;
  const server = http.createServer(async (request, response) => {
    try {
      for await (const _ of request);
    } catch {
      return; // The sender was killed in the middle of its request.
    }
    const id = String(request.headers['webhook-id']);
    received.set(id, (received.get(id) ?? 0) + 1);
    const what = good
      ? '200'
      : pick([
          [0.08, '500'],
          [0.05, '301'],
          [0.05, 'hang'],
          [0.05, 'reset'],
          [0.04, 'drip'],
          [0.03, 'huge'],
        ]);
    response.on('error', () => {});
    if (what === '200') response.end('ok');
    else if (what === '500') response.writeHead(500).end();
    else if (what === '301') response.writeHead(301, { location: 'http://169.254.169.254/' }).end();
    else if (what === 'reset') request.socket.resetAndDestroy();
    else if (what === 'drip') {
      response.writeHead(200);
      const timer = setInterval(() => response.write('.'), 100);
      response.once('close', () => clearInterval(timer));
    } else if (what === 'huge') response.end(Buffer.alloc(10_000_000));
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    behave() {
      good = true;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
