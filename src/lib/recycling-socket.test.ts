import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { RecyclingSocket } from './recycling-socket.ts';

/** Sends `count` numbers, little pieces at a time, and waits for each to be on its way. */
async function serve(count: number) {
  const server = net.createServer(async (socket) => {
    for (let n = 0; n < count; ) {
      const piece = Buffer.alloc(4 * Math.min(count - n, 1 + (n % 2048)));
      for (let at = 0; at < piece.length; at += 4) piece.writeUInt32LE(n++, at);
      if (!socket.write(piece)) await once(socket, 'drain');
    }
    socket.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

test('what was read stays as it is until it is given back, and then its memory is used again', async () => {
  const count = 4_000_000;
  const server = await serve(count);
  const socket = new RecyclingSocket();
  const memory = new Set<ArrayBufferLike>();
  const held: { chunk: Buffer; copy: Buffer }[] = [];
  let rest = Buffer.alloc(0);
  let next = 0;
  const giveBack = (index: number) => {
    const [entry] = held.splice(index, 1);
    if (entry === undefined) return;
    expect(entry.chunk.equals(entry.copy)).toBe(true);
    socket.recycle(entry.chunk);
  };
  socket.reader = (chunk) => {
    memory.add(chunk.buffer);
    held.push({ chunk, copy: Buffer.from(chunk) });
    const bytes = Buffer.concat([rest, chunk]);
    const whole = bytes.length - (bytes.length % 4);
    for (let at = 0; at < whole; at += 4) if (bytes.readUInt32LE(at) === next) next++;
    rest = Buffer.from(bytes.subarray(whole));
    // Out of order, and never all of them.
    while (held.length > 12) giveBack((next * 7) % held.length);
    return true;
  };
  socket.connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'end');
  while (held.length > 0) giveBack(0);
  expect(next).toBe(count);
  // 16 MB came.
  expect(memory.size).toBeLessThanOrEqual(24);
  socket.destroy();
  server.close();
});
