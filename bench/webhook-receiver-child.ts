/**
 * An HTTP endpoint in a process of its own: answers at once, or never under /hang. Reports on request. What comes to /keep
 * is kept in a file, four bytes of length before each body.
 */
import { createWriteStream, type WriteStream } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** When each event arrived, in milliseconds since the epoch, by its number. */
let arrivals: [n: number, at: number][] = [];
let left = 0;
let kept: WriteStream | undefined;

const server = http.createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const at = performance.timeOrigin + performance.now();
    if (request.url === '/hang') return;
    response.end('ok');
    if (--left === 0) process.send?.('all');
    if (request.url === '/keep') {
      const body = Buffer.concat(chunks);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(body.length);
      kept?.write(Buffer.concat([length, body]));
    }
    if (request.url === '/timed') {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as { event: { n: number } };
      arrivals.push([body.event.n, at]);
    }
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', 4096, () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on('message', (message: { expect?: number; keep?: string }) => {
  if (message.keep === '') kept?.end(() => process.send?.('kept'));
  else if (message.keep !== undefined) kept = createWriteStream(message.keep);
  else if (message.expect !== undefined) {
    left = message.expect;
  } else {
    process.send?.({ arrivals });
    arrivals = [];
  }
});
process.on('disconnect', () => process.exit());
