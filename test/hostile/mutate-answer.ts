import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { pour } from './pour.ts';

/** An answer over HTTP, as the real server gave it. */
interface Answer {
  status: number;
  headers: string[][];
  body: Buffer;
}

type Dice = () => number;

const upTo = (dice: Dice, most: number) => Math.floor(dice() * (most + 1));
const one = <Thing>(dice: Dice, list: readonly Thing[]) => list[upTo(dice, list.length - 1)] as Thing;

const without = (headers: string[][], ...names: string[]) =>
  headers.filter(([name = '']) => !names.includes(name.toLowerCase()));

function head(status: number, headers: string[][]): string {
  return `HTTP/1.1 ${status} said\r\n${headers.map((pair) => `${pair.join(': ')}\r\n`).join('')}`;
}

/** With a length that fits, and the connection's end behind it. */
function whole(socket: Socket, { status, headers, body }: Answer): void {
  const others = without(headers, 'content-length', 'transfer-encoding', 'connection');
  socket.write(
    `${head(status, [...others, ['content-length', String(body.length)], ['connection', 'close']])}\r\n`,
  );
  socket.end(body);
}

/** Without a length, so that more may come. */
function open(socket: Socket, { status, headers }: Answer): void {
  const others = without(headers, 'content-length', 'transfer-encoding');
  socket.write(`${head(status, [...others, ['connection', 'close']])}\r\n`);
}

function chunked(socket: Socket, { status, headers }: Answer): void {
  const others = without(headers, 'content-length', 'transfer-encoding');
  socket.write(`${head(status, [...others, ['transfer-encoding', 'chunked']])}\r\n`);
}

/** 32 MiB of nothing, in 32 KiB; made when it is first asked for. */
let bomb: Buffer | undefined;
const bombed = () => {
  bomb ??= gzipSync(Buffer.alloc(32 * 1024 * 1024, 'a,b\n'));
  return bomb;
};

const object = Buffer.from(
  '<Contents><Key>more.csv</Key><Size>10</Size><ETag>"1"</ETag><LastModified>2024-01-01T00:00:00Z</LastModified></Contents>',
);

type Mutation = (socket: Socket, answer: Answer, dice: Dice) => void;

const mutations: Record<string, Mutation> = {
  status: (socket, answer, dice) =>
    whole(socket, {
      ...answer,
      status: one(dice, [0, 99, 101, 199, 204, 206, 301, 304, 400, 403, 404, 412, 429, 500, 503, 999]),
    }),
  truncate: (socket, answer, dice) =>
    whole(socket, { ...answer, body: answer.body.subarray(0, upTo(dice, answer.body.length)) }),
  lengthen: (socket, answer, dice) =>
    whole(socket, {
      ...answer,
      body: Buffer.concat([answer.body, answer.body, Buffer.alloc(upTo(dice, 4000), '<a>')]),
    }),
  flip(socket, answer, dice) {
    const body = Buffer.from(answer.body);
    for (let left = 1 + upTo(dice, 8); left > 0 && body.length > 0; left--) {
      const at = upTo(dice, body.length - 1);
      body[at] = (body[at] as number) ^ (1 << upTo(dice, 7));
    }
    whole(socket, { ...answer, body });
  },
  /** Says that less or more comes than does, then ends or says nothing. */
  lie(socket, answer, dice) {
    const said = one(dice, ['0', '1', '-1', 'x', '99999999999', '1, 2', String(answer.body.length + 100)]);
    socket.write(
      `${head(answer.status, [...without(answer.headers, 'content-length'), ['content-length', said]])}\r\n`,
    );
    socket.write(answer.body);
    if (dice() < 0.8) socket.end();
  },
  cut(socket, answer, dice) {
    const bytes = Buffer.from(
      `${head(answer.status, answer.headers)}\r\n${answer.body.toString('latin1')}`,
      'latin1',
    );
    socket.end(bytes.subarray(0, upTo(dice, bytes.length - 1)));
  },
  cutChunk(socket, answer, dice) {
    chunked(socket, answer);
    socket.write(
      one(dice, [
        '10\r\nabc',
        'fffffff\r\nabc',
        'ffffffffffffffff\r\n',
        'zz\r\n',
        '3\r\nabcdef',
        '-1\r\n',
        '0\r\nx',
      ]),
    );
    socket.end();
  },
  endlessHeader(socket, { status, headers }, dice) {
    socket.write(head(status, headers));
    pour(socket, Buffer.from(one(dice, ['x-more: and more\r\n', 'x'])));
  },
  /** Answers that come before the answer. */
  endlessContinue: (socket) => pour(socket, Buffer.from('HTTP/1.1 103 early\r\n\r\n')),
  endlessBody(socket, answer) {
    open(socket, answer);
    socket.write(answer.body);
    pour(socket, answer.body.length > 0 ? answer.body : Buffer.from('x'));
  },
  endlessChunks(socket, answer, dice) {
    chunked(socket, answer);
    pour(socket, Buffer.from(one(dice, ['1\r\nx\r\n', `1;${'x'.repeat(1000)}\r\nx\r\n`, '0'])));
  },
  endlessXml(socket, answer, dice) {
    open(socket, { ...answer, headers: [['content-type', 'application/xml']] });
    socket.write('<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated>');
    pour(socket, one(dice, [object, Buffer.from('<a>'), Buffer.from('x'), Buffer.from('&lt;')]));
  },
  xml(socket, answer, dice) {
    const entities = `<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">${Array.from({ length: 9 }, (_, index) => `<!ENTITY ${'bcdefghij'[index]} "${`&${'abcdefghi'[index]};`.repeat(10)}">`).join('')}]><l><Key>&j;</Key></l>`;
    const deep = `${'<a>'.repeat(20_000)}${'</a>'.repeat(20_000)}`;
    const token =
      '<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>a</NextContinuationToken></ListBucketResult>';
    const text = one(dice, [
      entities,
      deep,
      token,
      '',
      '<',
      '<Error></Error>',
      '<ListBucketResult><Contents><Size>-1</Size></Contents></ListBucketResult>',
    ]);
    whole(socket, { ...answer, headers: [['content-type', 'application/xml']], body: Buffer.from(text) });
  },
  bomb(socket, answer, dice) {
    const encoding = dice() < 0.5 ? [['content-encoding', 'gzip']] : [];
    whole(socket, { ...answer, headers: [...answer.headers, ...encoding], body: bombed() });
  },
  json: (socket, answer, dice) =>
    whole(socket, {
      ...answer,
      body: Buffer.from(
        one(dice, ['[', '['.repeat(30_000), '{"a":', 'null', '1e999', '"\\ud800"', '{"__proto__":1}']),
      ),
    }),
  headers: (socket, answer, dice) =>
    whole(socket, {
      ...answer,
      headers: [
        ...answer.headers,
        one(dice, [
          ['etag', '\u0001'],
          ['retry-after', '99999999999999999999'],
          ['location', 'http://169.254.169.254/'],
          ['content-range', 'bytes 5-1/0'],
          ['x-amz-meta-a', 'x'.repeat(30_000)],
          ['last-modified', 'never'],
        ]),
      ],
    }),
  mute(socket, answer, dice) {
    const bytes = Buffer.from(
      `${head(answer.status, answer.headers)}\r\n${answer.body.toString('latin1')}`,
      'latin1',
    );
    socket.write(bytes.subarray(0, upTo(dice, bytes.length - 1)));
  },
  noHttp: (socket, _answer, dice) =>
    socket.end(one(dice, ['', '\r\n\r\n', 'HTTP/9.9 200\r\n\r\n', '\0\0\0\0', '220 smtp ready\r\n'])),
};

const names = Object.keys(mutations);

export function mutateAnswer(answer: Answer, dice: Dice): { name: string; write(socket: Socket): void } {
  const name = one(dice, names);
  return { name, write: (socket) => mutations[name]?.(socket, answer, dice) };
}
