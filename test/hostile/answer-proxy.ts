import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { HostileServer } from './message-proxy.ts';
import { mutateAnswer } from './mutate-answer.ts';

/** An HTTP server that answers with what another one says, until it is told to say one of its answers otherwise. */
export async function answerProxy(to: string): Promise<HostileServer> {
  let answers = 0;
  let target = -1;
  let dice = Math.random;
  let done: string | undefined;
  let onDone = () => {};
  const { hostname, port } = new URL(to);

  const server = http.createServer((incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    const asked = http.request({ hostname, port, method, path, headers }, async (answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk as Buffer);
      const { statusCode: status = 500, rawHeaders } = answer;
      const pairs = Array.from({ length: rawHeaders.length / 2 }, (_, index) => [
        rawHeaders[2 * index] ?? '',
        rawHeaders[2 * index + 1] ?? '',
      ]);
      const real = { status, headers: pairs, body: Buffer.concat(chunks) };
      const socket = outgoing.socket as Socket;
      const place = answers++;
      if (place === target) {
        const { name, write } = mutateAnswer(real, dice);
        done = `${name} of answer ${place}, ${method} ${path?.slice(0, 60)} ${status}`;
        onDone();
        write(socket);
        return;
      }
      outgoing.writeHead(status, real.headers.flat()).end(real.body);
    });
    asked.on('error', () => outgoing.destroy());
    incoming.pipe(asked);
  });
  server.on('connection', (socket: Socket) => socket.on('error', () => {}));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    arm(at, next, tell = () => {}) {
      server.closeAllConnections();
      [answers, target, dice, done, onDone] = [0, at, next, undefined, tell];
    },
    seen: () => ({ messages: answers, done }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}
