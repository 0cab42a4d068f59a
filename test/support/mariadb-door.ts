import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf } from '../../src/errors.ts';
import { type MariadbServer, startMariadb } from './mariadb-server.ts';

/**
 * Where the run's test files, each in a process of its own, ask for MariaDB. The first one who asks starts it;
 * a run that never needs it never pays for it.
 */
export async function openMariadbDoor(): Promise<{ url: string; close(): Promise<void> }> {
  let starting: Promise<MariadbServer> | undefined;
  const server = createServer((_request, response) => {
    starting ??= startMariadb();
    starting.then(
      ({ port }) => response.end(String(port)),
      (error: unknown) => response.writeHead(500).end(messageOf(error)),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await (await starting?.catch(() => undefined))?.stop();
    },
  };
}
