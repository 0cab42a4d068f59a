import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A relay on loopback that breaks connections as a network does: without a word to either end. */
export interface CuttingProxy extends AsyncDisposable {
  port: number;
  /** Breaks the connection over which this many bytes more have come, counted over all and both ways; once. */
  cutAfter(bytes: number): void;
}

/** @param to a port of this machine. */
export async function cuttingProxy(to: number): Promise<CuttingProxy> {
  let left = Number.POSITIVE_INFINITY;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const target = connect(to, '127.0.0.1');
    const both = [client, target];
    const end = () => {
      for (const socket of both) socket.destroy();
    };
    for (const socket of both) {
      const other = socket === client ? target : client;
      open.add(socket);
      socket.setNoDelay(true);
      socket.once('close', () => {
        open.delete(socket);
        end();
      });
      socket.on('error', end);
      socket.on('data', (chunk: Buffer) => {
        left -= chunk.length;
        if (left >= 0) return void other.write(chunk);
        // What came before the cut has come.
        other.write(chunk.subarray(0, Math.max(0, left + chunk.length)));
        left = Number.POSITIVE_INFINITY;
        socket.resetAndDestroy();
        other.resetAndDestroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cutAfter(bytes) {
      left = bytes;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
