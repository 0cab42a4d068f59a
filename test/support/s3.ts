import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { startFauxqs } from 'fauxqs';

/** What goes wrong with a request: no answer, a connection that breaks before or within the answer, all for a part, an error. */
type Fault = 'hang' | 'reset' | 'cut' | 'whole' | 503;

export interface S3Request {
  method: string;
  key: string;
  query: URLSearchParams;
}

/** A real S3 server on loopback behind a door that can misbehave. Signatures are not looked at. */
export interface TestS3 {
  bucket: string;
  /** Of an `s3` connection to the bucket. */
  configuration: Record<string, string | boolean>;
  put(key: string, content: string | Uint8Array): Promise<void>;
  get(key: string): Promise<Buffer>;
  /** Sorted. */
  keys(prefix?: string): Promise<string[]>;
  remove(key: string): Promise<void>;
  /** Requests that came through the door. */
  requests: S3Request[];
  behave(choose: (request: S3Request) => Fault | undefined): void;
  close(): Promise<void>;
}

export async function startS3(): Promise<TestS3> {
  const server = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false });
  const bucket = 'lake';
  server.createBucket(bucket);
  const direct = `http://127.0.0.1:${server.port}/${bucket}`;
  const requests: S3Request[] = [];
  let choose: (request: S3Request) => Fault | undefined = () => undefined;
  let writing: Promise<unknown> = Promise.resolve();

  const forward = (incoming: http.IncomingMessage, outgoing: http.ServerResponse, fault: Fault | undefined) =>
    new Promise<void>((resolve) => {
      outgoing.once('close', resolve);
      const { method, url: path } = incoming;
      const { range, ...others } = incoming.headers;
      const headers = fault === 'whole' || range === undefined ? others : { ...others, range };
      const request = http.request(
        { port: server.port, host: '127.0.0.1', method, headers, path },
        (answer) => {
          if (fault === 'cut' && answer.headers['content-length'] === '0') return void outgoing.destroy();
          outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
          if (fault !== 'cut') return void answer.pipe(outgoing);
          answer.once('data', (chunk: Buffer) => {
            outgoing.write(chunk.subarray(0, Math.ceil(chunk.length / 2)), () => outgoing.destroy());
          });
        },
      );
      request.once('error', () => outgoing.destroy());
      incoming.pipe(request);
    });

  const door = http.createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? '', direct);
    const key = decodeURIComponent(url.pathname).slice(bucket.length + 2);
    const request = { method: incoming.method ?? '', key, query: url.searchParams };
    requests.push(request);
    const fault = choose(request);
    if (fault === 'hang') return;
    if (fault === 'reset') return void outgoing.destroy();
    if (fault === 503) return void outgoing.writeHead(503).end();
    const { 'if-match': match, 'if-none-match': noneMatch } = incoming.headers;
    if (request.method !== 'PUT' || (match ?? noneMatch) === undefined)
      return void forward(incoming, outgoing, fault);
    // The server knows no conditional writes: one at a time, each after a look at what is there.
    writing = writing.then(async () => {
      const { headers, ok } = await fetch(`${direct}${url.pathname.slice(bucket.length + 1)}`, {
        method: 'HEAD',
      });
      const holds = noneMatch === undefined ? headers.get('etag') === match : !ok;
      if (holds) return forward(incoming, outgoing, fault);
      outgoing.writeHead(412, { 'content-type': 'application/xml' });
      outgoing.end('<Error><Code>PreconditionFailed</Code><Message>it changed</Message></Error>');
    });
  });
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');

  const ask = async (method: string, path: string, body?: string | Uint8Array<ArrayBuffer>) => {
    const answer = await fetch(`${direct}${path}`, { method, ...(body === undefined ? {} : { body }) });
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${bytes}`);
    return bytes;
  };
  const pathOf = (key: string) => `/${key.split('/').map(encodeURIComponent).join('/')}`;
  return {
    bucket,
    configuration: {
      auth_mode: 'access_key_and_secret',
      aws_access_key_id: 'key',
      aws_secret_access_key: 'secret',
      s3_bucket_region: 'us-east-1',
      s3_bucket_name: bucket,
      endpoint: `http://127.0.0.1:${(door.address() as AddressInfo).port}`,
    },
    put: async (key, content) => void (await ask('PUT', pathOf(key), content as string)),
    get: (key) => ask('GET', pathOf(key)),
    async keys(prefix = '') {
      const list = `${await ask('GET', `?list-type=2&prefix=${encodeURIComponent(prefix)}`)}`;
      return [...list.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => unescaped(key)).sort();
    },
    remove: async (key) => void (await ask('DELETE', pathOf(key))),
    requests,
    behave(next) {
      choose = next;
    },
    async close() {
      door.closeAllConnections();
      door.close();
      await server.stop();
    },
  };
}

const entities: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
const unescaped = (text: string) => text.replaceAll(/&(\w+);/g, (_, name: string) => entities[name] ?? '');
