import { once } from 'node:events';
import net from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Receiver, startReceiver } from '../../test/support/receiver.ts';
import { addressPolicy } from './addresses.ts';
import { createEgress } from './client.ts';
import type { Egress } from './contract.ts';

let receiver: Receiver;
let port: string;
let closed: Egress;
let open: Egress;

beforeAll(async () => {
  receiver = await startReceiver();
  ({ port } = new URL(receiver.url));
  closed = createEgress({ allow: [] });
  open = createEgress({ allow: ['127.0.0.0/8'] });
});
afterAll(async () => {
  await closed.close();
  await open.close();
  await receiver.close();
});

const get = (egress: Egress, url: string, deadline = 60_000) =>
  egress.request({ url, method: 'GET', headers: {}, deadline });

test('no spelling of a private address gets through', async () => {
  const before = receiver.requests.length;
  const hosts = [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    'localhost',
    'localhost.',
    '[::1]',
    '[::]',
    '0.0.0.0',
    '[::ffff:127.0.0.1]',
    '[::127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    '[2002:7f00:1::]',
    '[::ffff:0:127.0.0.1]',
    '[64:ff9b:1:7f00:0:100::]',
    '[2001:db8:1::5efe:127.0.0.1]',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '100.64.0.1',
    '224.0.0.1',
  ];
  for (const host of hosts) {
    await expect(get(closed, `http://${host}:${port}/`), host).rejects.toMatchObject({
      failure: 'refused_address',
    });
  }
  expect(receiver.requests.length).toBe(before);
});

test('a name with one forbidden address is refused whole', async () => {
  const mixed = createEgress({
    allow: [],
    resolve: async () => [
      { address: '93.184.216.34', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ],
  });
  await expect(get(mixed, `http://mixed.test:${port}/`)).rejects.toMatchObject({
    failure: 'refused_address',
  });
  await mixed.close();
});

test('of a name with private addresses those that are allowed are tried, and no other', async () => {
  const resolve = async () => [
    { address: '::1', family: 6 },
    { address: '127.0.0.1', family: 4 },
  ];
  receiver.behave(() => 200);
  const partly = createEgress({ allow: ['127.0.0.0/8'], resolve });
  expect((await get(partly, `http://both.test:${port}/`)).status).toBe(200);
  await partly.close();
});

test('nothing leads to a port of our own on this machine, whatever is allowed', async () => {
  const own = createEgress({ allow: ['0.0.0.0/0', '::/0'], ownPorts: [Number(port)] });
  const before = receiver.requests.length;
  for (const host of [
    '127.0.0.1',
    '127.0.0.9',
    'localhost',
    '0.0.0.0',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
  ]) {
    await expect(get(own, `http://${host}:${port}/`), host).rejects.toMatchObject({
      failure: 'refused_address',
    });
    const hostname = host.replace(/[[\]]/g, '');
    await expect(own.connect({ hostname, port: Number(port) }), host).rejects.toMatchObject({
      failure: 'refused_address',
    });
  }
  expect(receiver.requests.length).toBe(before);
  await own.close();
});

test('a name is resolved once: a resolver that changes its answer gains nothing', async () => {
  let asked = 0;
  const rebinding = createEgress({
    allow: ['127.0.0.2/32'],
    resolve: async () => [{ address: asked++ === 0 ? '127.0.0.2' : '127.0.0.1', family: 4 }],
  });
  const answer = await get(rebinding, `http://rebinding.test:${port}/`).catch((error: unknown) => error);
  // 127.0.0.2 is where the socket went; on systems without it, nowhere. Never to 127.0.0.1.
  expect(asked).toBe(1);
  expect(answer).not.toMatchObject({ status: 200 });
  await rebinding.close();
});

test('redirects are an answer, not an order', async () => {
  receiver.behave(() => ({ redirect: 'http://169.254.169.254/latest/meta-data' }));
  const before = receiver.requests.length;
  expect((await get(open, receiver.url)).status).toBe(302);
  expect(receiver.requests.length).toBe(before + 1);
});

test('the deadline covers the last byte; an endless body is cut at 64 KiB', async () => {
  receiver.behave(() => 'drip');
  await expect(get(open, receiver.url, 300)).rejects.toMatchObject({ failure: 'timeout' });
  receiver.behave(() => 'hang');
  await expect(get(open, receiver.url, 300)).rejects.toMatchObject({ failure: 'timeout' });
  receiver.behave(() => 'huge');
  expect((await get(open, receiver.url)).body.length).toBe(64 * 1024);
});

test('the deadline covers what comes before the request: the name, the handshake', async () => {
  const silent = net.createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port: silentPort } = silent.address() as net.AddressInfo;
  const sockets: net.Socket[] = [];
  silent.on('connection', (socket) => sockets.push(socket.on('error', () => {})));
  const unresolved = createEgress({ allow: [], resolve: () => new Promise(() => {}) });

  await expect(get(open, `https://127.0.0.1:${silentPort}/`, 300)).rejects.toMatchObject({
    failure: 'timeout',
  });
  await expect(get(unresolved, 'http://slow.test/', 300)).rejects.toMatchObject({ failure: 'timeout' });
  for (const socket of sockets) socket.destroy();
  silent.close();
  await unresolved.close();
});

test('what went wrong is said in words', async () => {
  receiver.behave(() => 'reset');
  await expect(get(open, receiver.url)).rejects.toMatchObject({ failure: 'reset' });
  await expect(get(open, 'http://127.0.0.1:1/')).rejects.toMatchObject({ failure: 'connect' });
  await expect(get(open, 'http://nowhere.invalid/')).rejects.toMatchObject({ failure: 'dns' });
  await expect(get(open, `https://127.0.0.1:${port}/`)).rejects.toMatchObject({ failure: 'tls' });
  for (const url of ['ftp://example.com', 'no url', 'http://user:pass@example.com/']) {
    await expect(get(open, url)).rejects.toMatchObject({ failure: 'invalid_url' });
  }
});

test('ranges: public is allowed, exceptions are what the operator said, nonsense is refused at the start', () => {
  const policy = addressPolicy(['10.1.0.0/16', 'fd00:1::/32']);
  expect(policy.allows('93.184.216.34')).toBe(true);
  expect(policy.allows('2606:2800:220:1::1')).toBe(true);
  expect(policy.allows('10.1.2.3')).toBe(true);
  expect(policy.allows('10.2.2.3')).toBe(false);
  expect(policy.allows('::ffff:10.1.2.3')).toBe(true);
  expect(policy.allows('fd00:1::5')).toBe(true);
  expect(policy.allows('2001:0:4136:e378:8000:63bf:80fe:fffe')).toBe(false);
  expect(policy.allows('::ffff:0:10.1.2.3')).toBe(true);
  expect(policy.allows('fe80::1%lo')).toBe(false);
  expect(policy.allows('')).toBe(false);
  for (const range of ['10.0.0.0/33', 'somewhere', '10.0.0.0/x', 'fd00::/129']) {
    expect(() => addressPolicy([range]), range).toThrow(range);
  }
});

test('a stream is guarded alike, keeps the path as it is given, and is left without a trace', async () => {
  const get = (egress: Egress, path: string) =>
    egress.stream({ url: receiver.url, path, method: 'GET', headers: {}, idle: 300 });
  await expect(get(closed, '/')).rejects.toMatchObject({ failure: 'refused_address' });
  receiver.behave(() => 'huge');
  const huge = await get(open, '/a/../b?c=%2E');
  expect(receiver.requests.at(-1)?.url).toBe('/a/../b?c=%2E');
  huge.body.destroy();
  receiver.behave(() => 'hang');
  await expect(get(open, '/')).rejects.toMatchObject({ failure: 'timeout' });
});
