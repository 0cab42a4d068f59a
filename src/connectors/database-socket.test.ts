import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { createEgress, type Egress } from '../egress/index.ts';
import { mysql } from './mysql/index.ts';
import { postgresql } from './postgresql/index.ts';

let port: number;
let connections = 0;
beforeAll(async () => {
  const server = net.createServer((socket) => {
    connections++;
    socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
  return () => void server.close();
});

function guard(options: Parameters<typeof createEgress>[0]): Egress {
  const egress = createEgress(options);
  onTestFinished(() => egress.close());
  return egress;
}

/** Asks a connector of each kind whether it can connect. */
async function answers(egress: Egress, hostname: string): Promise<Error[]> {
  const sessions = [
    postgresql.open(
      { hostname, port, database: 'd', username: 'u', password: 'p', client_certs: false },
      { egress },
    ),
    mysql.open({ hostname, port, account: 'u', passwd: 'p' }, { egress }),
  ];
  return await Promise.all(
    sessions.map(async (session) => {
      const error = await session.test().then(
        () => new Error('it connected'),
        (error: Error) => error,
      );
      await session.close();
      return error;
    }),
  );
}

test('a database at an address that is not allowed is not dialled, however it is written', async () => {
  const before = connections;
  const egress = guard({ allow: [] });
  for (const hostname of [
    '127.0.0.1',
    'localhost',
    'a.localhost',
    '0.0.0.0',
    '::1',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:0:127.0.0.1',
    '169.254.169.254',
    '10.0.0.1',
    'fd00::1',
    'fe80::1%lo',
  ]) {
    for (const error of await answers(egress, hostname)) {
      expect([hostname, error]).toMatchObject([hostname, { name: 'TidemarkError', status: 422 }]);
      expect(error.message).toMatch(/configuration\.hostname: .*TIDEMARK_EGRESS_ALLOW/);
    }
  }
  // Spellings that only a resolver of the system would take for an address are names.
  for (const hostname of ['127.1', '0x7f000001', '2130706433']) {
    for (const error of await answers(guard({ allow: [], resolve: async () => [] }), hostname)) {
      expect(error.name).toBe('ConnectionLost');
    }
  }
  expect(connections).toBe(before);
});

test('a name is resolved once, and what it led to is looked at on the socket', async () => {
  const before = connections;
  let asked = 0;
  const resolve = async () => [{ address: asked++ % 2 === 0 ? '192.0.2.1' : '127.0.0.1', family: 4 }];
  await answers(guard({ allow: [], resolve }), 'rebinding.test');
  expect(connections).toBe(before);
});

test('our own port is reached by nobody; another that is allowed is', async () => {
  const before = connections;
  for (const error of await answers(guard({ allow: ['127.0.0.0/8'], ownPorts: [port] }), '127.0.0.1')) {
    expect(error.name).toBe('TidemarkError');
  }
  expect(connections).toBe(before);
  for (const error of await answers(guard({ allow: ['127.0.0.0/8'] }), '127.0.0.1')) {
    expect(error.name).not.toBe('TidemarkError');
  }
  expect(connections).toBe(before + 2);
});
