import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A relay on loopback that can go silent: connections stay open and nothing comes through them, as behind a firewall that forgot them. */
export interface SilentRelay extends AsyncDisposable {
  /** The same database by way of the relay. */
  url: string;
  /** From now on nothing comes through the connections that there are, either way. New ones work. */
  forget(): void;
  /** Nor does anything come through new ones, until this is taken back. */
  mute(isMute: boolean): void;
}

export async function silentRelay(to: string): Promise<SilentRelay> {
  const { hostname, port } = new URL(to);
  const open = new Set<Socket>();
  const forgotten = new WeakSet<Socket>();
  let mute = false;
  const server = createServer((client) => {
    const target = connect(Number(port), hostname);
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      open.add(socket);
      if (mute) forgotten.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('data', (chunk: Buffer) => {
        if (!forgotten.has(socket)) other.write(chunk);
      });
      socket.once('close', () => {
        open.delete(socket);
        if (!forgotten.has(socket)) other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(to);
  url.port = String((server.address() as AddressInfo).port);
  url.hostname = '127.0.0.1';
  const forget = () => {
    for (const socket of open) forgotten.add(socket);
  };
  return {
    url: url.href,
    forget,
    mute(isMute) {
      mute = isMute;
      if (isMute) forget();
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
