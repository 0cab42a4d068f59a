import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { postgresqlFrame as frame, int32 } from './frames.ts';
import type { HostileSystem } from './play.ts';
import { pour } from './pour.ts';

/** What a server says to whoever greets it, and to each query; `endless` for ever, null nothing at all. */
interface Script {
  greeting: Buffer;
  answer: Buffer | null;
  endless?: true;
}

const ready = frame('Z', [0x49]);
const greeting = Buffer.concat([frame('R', int32(0)), ready]);
const text = (value: string) => [...Buffer.from(`${value}\0`)];

const column = [...text('a'), ...int32(0), 0, 0, ...int32(25), 0xff, 0xff, ...int32(-1), 0, 0];
const row = frame('D', [0, 1, ...int32(1000), ...Buffer.alloc(1000, 'x')]);
const wide = frame('T', [0, 1, ...column]);

/** Each ended or stopped a process that spoke to it by the driver alone. */
export const scripts: Record<string, Script> = {
  'a request to authenticate of two bytes': { greeting: frame('R', [0, 0]), answer: null },
  'a request to authenticate of an unknown kind': { greeting: frame('R', int32(77)), answer: null },
  'a list of mechanisms without an end': {
    greeting: frame('R', [...int32(10), ...Buffer.from('SCRAM')]),
    answer: null,
  },
  'an error without a body instead of a greeting': { greeting: frame('E', []), answer: null },
  'an error without a body': { greeting, answer: frame('E', []) },
  'an error that does not end': { greeting, answer: frame('E', [0x53, 0x41]) },
  'a notice that does not end': { greeting, answer: frame('N', [0x53]) },
  'a row with a negative number of values': { greeting, answer: frame('D', [0xff, 0xff]) },
  'a row with a negative length': {
    greeting,
    answer: Buffer.concat([wide, frame('D', [0, 1, ...int32(-7)])]),
  },
  'a short row': { greeting, answer: Buffer.concat([wide, frame('D', [0])]) },
  'a row that nothing was said of': { greeting, answer: row },
  'a short notification': { greeting, answer: frame('A', [0, 0]) },
  CopyInResponse: { greeting, answer: frame('G', [0, 0, 0]) },
  'CopyInResponse without a body': { greeting, answer: frame('G', []) },
  'a message of length 0': { greeting, answer: Buffer.from([0x44, 0, 0, 0, 0]) },
  'a message of 4 GB': { greeting, answer: Buffer.from([0x44, 0xff, 0xff, 0xff, 0xff]) },
  'nothing from the beginning': { greeting: Buffer.alloc(0), answer: null },
  'nothing after the login': { greeting, answer: null },
  'rows without end': { greeting, answer: Buffer.concat([wide, row]), endless: true },
  'one row without end': {
    greeting,
    answer: Buffer.concat([wide, Buffer.from([0x44, 0x3f, 0xff, 0xff, 0xff])]),
    endless: true,
  },
};

/** A PostgreSQL server that has nothing but a script. */
export async function scriptedPostgresql(script: Script): Promise<HostileSystem & AsyncDisposable> {
  let messages = 0;
  let tell = () => {};
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => open.delete(socket));
    let isGreeted = false;
    socket.on('data', () => {
      messages++;
      if (!isGreeted) {
        isGreeted = true;
        tell();
        socket.write(script.greeting);
      } else if (script.answer !== null && script.endless) {
        socket.write(script.answer);
        pour(socket, row);
      } else if (script.answer !== null) socket.write(script.answer);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    connector: 'postgresql',
    configuration: {
      ...{
        hostname: '127.0.0.1',
        port: (server.address() as AddressInfo).port,
        database: 'a',
        username: 'a',
      },
      ...{ password: 'a', ssl: false, client_certs: false },
    },
    place: { schemaId: 'public.people', model: { query: 'select 1 as id' } },
    visits: ['test', 'sample'],
    arm(_at, _dice, onDone = () => {}) {
      [messages, tell] = [0, onDone];
    },
    seen: () => ({ messages, done: messages > 0 ? 'the script' : undefined }),
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
