import { once } from 'node:events';
import net from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dial } from './dial.ts';

const server = net.createServer((socket) => socket.on('error', () => {}));
let port: number;
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as net.AddressInfo).port;
});
afterAll(() => void server.close());

const never = new AbortController().signal;
const made: net.Socket[] = [];

/** Of which some addresses answer to nothing, as behind a firewall that drops what comes. */
class Firewalled extends net.Socket {
  static readonly dropped = new Set<string>();
  constructor() {
    super();
    made.push(this);
  }
  override connect(...given: unknown[]): this {
    const address = given[1] as string;
    if (Firewalled.dropped.has(address)) return this;
    return super.connect(given[0] as number, address);
  }
}

const reach = (addresses: string[], options: { dropped?: string[]; signal?: AbortSignal } = {}) => {
  Firewalled.dropped.clear();
  for (const address of options.dropped ?? []) Firewalled.dropped.add(address);
  return dial({
    port,
    addresses,
    socket: () => new Firewalled(),
    permits: (address) => address === '127.0.0.1',
    signal: options.signal ?? never,
  });
};

test('an address that refuses, or answers to nothing, does not keep the next one from being reached', async () => {
  for (const addresses of [
    ['127.0.0.2', '127.0.0.1'],
    ['::1', '127.0.0.1'],
    ['192.0.2.1', '127.0.0.1'],
    ['192.0.2.1', '192.0.2.2', '192.0.2.3', '127.0.0.1'],
  ]) {
    made.length = 0;
    const started = performance.now();
    const socket = await reach(addresses, { dropped: addresses.filter((one) => one.startsWith('192.')) });
    expect(socket.remoteAddress).toBe('127.0.0.1');
    expect(performance.now() - started).toBeLessThan(3000);
    for (const other of made) expect(other.destroyed).toBe(other !== socket);
    socket.destroy();
  }
});

test('of addresses of both families one after the other is tried', async () => {
  const dropped = ['2001:db8::1', '2001:db8::2', '192.0.2.1'];
  const tried: string[] = [];
  const socket = await dial({
    port,
    addresses: ['2001:db8::1', '2001:db8::2', '192.0.2.1', '127.0.0.1'],
    socket: () => {
      const made = new net.Socket();
      const connect = made.connect.bind(made);
      made.connect = ((to: number, address: string) => {
        tried.push(address);
        return dropped.includes(address) ? made : connect(to, address);
      }) as typeof made.connect;
      return made;
    },
    permits: () => true,
    signal: never,
  });
  socket.destroy();
  expect(tried).toEqual(['2001:db8::1', '192.0.2.1', '2001:db8::2', '127.0.0.1']);
});

test('when none answers the first failure is told, and how many there were', async () => {
  await expect(reach(['127.0.0.2'])).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await expect(reach(['127.0.0.2', '127.0.0.3', '::1'])).rejects.toThrow(
    /^connect ECONNREFUSED 127\.0\.0\.2:\d+, and 2 more addresses failed$/,
  );
});

test('where a socket ended up counts, and whoever gives up leaves nothing behind', async () => {
  const refused = dial({ port, addresses: ['127.0.0.1'], permits: () => false, signal: never });
  await expect(refused).rejects.toThrow('the connection led to an address that is not allowed');
  const given = new AbortController();
  made.length = 0;
  const waiting = reach(['192.0.2.1', '192.0.2.2'], {
    dropped: ['192.0.2.1', '192.0.2.2'],
    signal: given.signal,
  });
  given.abort(new Error('given up'));
  await expect(waiting).rejects.toThrow('given up');
  expect(made.every(({ destroyed }) => destroyed)).toBe(true);
  await expect(reach(['127.0.0.1'], { signal: given.signal })).rejects.toThrow('given up');
});
