import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { streamEvents } from './stream.ts';

const event = (id: string) => `id: ${id}\ndata: ${JSON.stringify({ id, created_at: id, event: {} })}\n\n`;

/** Gives each connection the next text, breaks it off, and notes where each wanted to go on. */
async function startBroken(texts: string[]) {
  const positions: (string | undefined)[] = [];
  const server = http.createServer((request, response) => {
    const text = texts[positions.push(request.headers['last-event-id'] as string | undefined) - 1] ?? '';
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(text, () => setImmediate(() => response.destroy()));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, positions };
}

test('a stream goes on after ids without data, and never before what it gave', async () => {
  const { url, positions } = await startBroken([
    'retry: 1000\n\nid: a\n\n: live\n\n',
    ': heartbeat\n\nid: b\n\n',
    `${event('c')}id: d\n\n`,
    event('e'),
  ]);
  const stopping = new AbortController();
  const options = { types: [], since: undefined, signal: stopping.signal, lost: () => {}, firstPause: 1 };
  const seen: string[] = [];
  for await (const { id } of streamEvents({ url, apiKey: 'key' }, options)) {
    seen.push(id);
    if (id === 'e') break;
  }
  expect(seen).toEqual(['c', 'e']);
  expect(positions).toEqual([undefined, 'a', 'b', 'd']);
});
