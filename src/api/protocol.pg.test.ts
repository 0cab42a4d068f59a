/** What a request may be before a route sees it, against a port: phases, framing, encodings, methods. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../test/support/app.ts';
import { catalogue } from '../errors.ts';
import { operations } from './operations.ts';

let api: TestApp;
let port: number;
/** Every list that says how many it gives. */
const limited: string[] = [];
/** Lets go what waits for it. */
let release = () => {};

beforeAll(async () => {
  const deadlines = { head: 500, body: 1000, handling: 2000, idle: 60_000 };
  const prepare: Parameters<typeof startTestApp>[0] = (app) => {
    app.post(
      '/test/slow',
      { config: { access: 'public' } },
      () =>
        new Promise<void>((done) => {
          release = done;
        }),
    );
    app.post('/test/fails', { config: { access: 'public' } }, async (request) => {
      throw Object.assign(new Error('of the database'), request.body);
    });
  };
  api = await startTestApp(
    (app) => {
      app.addHook('onRoute', ({ method, url, schema }) => {
        const query = schema?.querystring as { properties?: object } | undefined;
        if (method === 'GET' && Object.hasOwn(query?.properties ?? {}, 'limit')) limited.push(url);
      });
      app.after(() => prepare(app));
    },
    { deadlines },
  );
  await api.app.listen({ port: 0, host: '127.0.0.1' });
  ({ port } = api.app.server.address() as AddressInfo);
});
afterAll(async () => {
  release();
  await api?.[Symbol.asyncDispose]();
});

interface Answer {
  status: number;
  headers: string;
  body: { key: keyof typeof catalogue; status: number; message: string; metadata: object };
}

/** Sends bytes, then one more again and again until the other side ends the connection. */
async function drip(text: string, drop = ''): Promise<Answer> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(text);
  const dripping = drop === '' ? undefined : setInterval(() => socket.write(drop), 50);
  await once(socket, 'close');
  clearInterval(dripping);
  const [head = '', body = ''] = Buffer.concat(chunks).toString().split('\r\n\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
  return { status, headers: head, body: JSON.parse(body) as Answer['body'] };
}

const head = (line: string, ...more: string[]) =>
  [`${line} HTTP/1.1`, 'Host: x', `Authorization: Bearer ${api.first.apiKey}`, ...more, '', ''].join('\r\n');

/** The documented shape, with the status that the catalogue gives the key. */
function expectShape({ status, headers, body }: Answer, key: keyof typeof catalogue): void {
  expect(body, JSON.stringify(body)).toMatchObject({ key, status: catalogue[key].status });
  expect(status).toBe(body.status);
  expect(body.message).not.toMatch(/\{\w+\}/);
  expect(headers.toLowerCase()).toContain('x-polytomic-version');
}

test('a head that drips ends with 408, and so does a body', async () => {
  expectShape(await drip('GET /api/me HTTP/1.1\r\nHost: x\r\nX-Slow: ', 'x'), 'request_timeout');
  const type = 'Content-Type: application/json';
  const cut = head('POST /api/models', type, 'Content-Length: 500');
  expectShape(await drip(`${cut}{`, ' '), 'request_timeout');
  const chunked = head('POST /api/models', type, 'Transfer-Encoding: chunked');
  expectShape(await drip(`${chunked}1\r\n{\r\n`, '1\r\n \r\n'), 'request_timeout');
});

test('a request that takes too long is answered, and its outcome is in doubt', async () => {
  const slow = head('POST /test/slow', 'Connection: close', 'Content-Length: 0');
  expectShape(await drip(slow), 'took_too_long');
});

test('what is no HTTP has the documented shape', async () => {
  expectShape(await drip('BREW / HTTP/1.1\r\n\r\n'), 'bad_request');
  expectShape(await drip(head('GET /api/me', `X-Long: ${'x'.repeat(300_000)}`)), 'head_too_large');
  expectShape(await drip(head('GET /api/models/%zz', 'Connection: close')), 'bad_request');
  expectShape(await drip(head(`GET /api/models/${'x'.repeat(2000)}`, 'Connection: close')), 'bad_request');
});

test('the encodings of a body are looked at, and its bytes', async () => {
  const send = async (payload: string | Buffer, headers: Record<string, string> = {}) => {
    const response = await api.app.inject({
      method: 'POST',
      url: '/api/models',
      payload,
      headers: {
        authorization: `Bearer ${api.first.apiKey}`,
        'content-type': 'application/json',
        ...headers,
      },
    });
    return response.json<Answer['body']>();
  };
  const json = 'application/json';
  expect(await send('{}', { 'content-encoding': 'br' })).toMatchObject({ key: 'unsupported_encoding' });
  expect(await send('{}', { 'content-encoding': 'identity' })).toMatchObject({ key: 'invalid_field' });
  expect(await send('{}', { 'content-type': `${json}; charset=utf-16` })).toMatchObject({ status: 415 });
  expect(await send('{}', { 'content-type': `${json}; charset="UTF-8"` })).toMatchObject({ status: 400 });
  expect(await send('{}', { 'content-type': 'text/plain' })).toMatchObject({ status: 415 });
  expect(await send(Buffer.from('{"name":"p\xe4ss"}', 'latin1'))).toMatchObject({ key: 'malformed_json' });
  expect(await send('{"name":"\\ud800"}')).toMatchObject({
    key: 'invalid_field',
    metadata: { field: 'name' },
  });
  expect(await send('{"a":{"b":"\\u0000"}}')).toMatchObject({ metadata: { field: 'a.b' } });
  const deep = `{"configuration":${'['.repeat(4400)}${']'.repeat(4400)}}`;
  expect(await send(deep)).toMatchObject({ key: 'body_too_deep', status: 400 });
  expect(await send(`[${'1,'.repeat(60_000)}1]`)).toMatchObject({ key: 'too_many_values', status: 413 });
  expect((await api.request(api.first.apiKey, 'GET', '/api/events?type=%ff')).body).toMatchObject({
    key: 'bad_request',
  });
});

test('another method of a path that there is gets 405 with those that it takes', async () => {
  const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const;
  for (const path of new Set(operations.map(([, path]) => path))) {
    const taken: string[] = operations.filter(([, other]) => other === path).map(([method]) => method);
    if (taken.includes('GET') && path !== '/api/events/stream') taken.push('HEAD');
    const url = path.replaceAll(/:\w+/g, 'x');
    for (const method of methods.filter((one) => !taken.includes(one))) {
      const { statusCode, headers } = await api.app.inject({ method, url });
      // Another path with parameters may fit, too.
      expect([405, 401], `${method} ${url}`).toContain(statusCode);
      if (statusCode === 405) {
        for (const one of taken) expect(String(headers.allow).split(', '), `${method} ${url}`).toContain(one);
      }
    }
  }
  expect((await api.app.inject({ method: 'POST', url: '/api/nothing' })).statusCode).toBe(404);
});

test.each([
  [{ code: '23503', schema: 'tidemark', constraint: 'a' }, 404],
  [{ code: '23505', schema: 'tidemark', constraint: 'a' }, 409],
  // Of a database that is none of ours.
  [{ code: '23505', schema: 'public', constraint: 'a' }, 500],
  [{ code: '54000' }, 400],
  [{ code: '22008' }, 400],
  [{ code: '57P01' }, 503],
  [{ code: '53300' }, 503],
  [{ code: '40P01' }, 503],
  [{ code: 'ECONNREFUSED' }, 503],
  [{ code: '42601' }, 500],
])('a statement that fails with %j is answered %i', async (failure, status) => {
  const { headers, ...response } = await api.request(null, 'POST', '/test/fails', failure);
  expect(response.status, JSON.stringify(response.body)).toBe(status);
  expect(headers['retry-after']).toBe(status === 503 ? '1' : undefined);
});

test('a number of a query beyond its range is refused alike by every list', async () => {
  expect(limited.length).toBeGreaterThan(7);
  for (const url of limited) {
    for (const limit of ['-1', '0', '101', '1e9']) {
      const path = `${url.replaceAll(/:\w+/g, 'x')}?limit=${limit}`;
      const { body } = await api.request(api.first.apiKey, 'GET', path);
      expect(body, path).toMatchObject({
        status: 422,
        message: expect.stringContaining('limit: takes 1 to 100'),
      });
    }
  }
});

test('a stream that could not be read is refused before it answers 200', async () => {
  const stream = (query: string, headers = {}) =>
    api.request(api.first.apiKey, 'GET', `/api/events/stream${query}`, undefined, headers);
  expect(await stream('?starting_after=2020-02-30T00:00:00Z')).toMatchObject({ status: 422 });
  expect(await stream('', { 'last-event-id': '2020-02-30T00:00:00Z' })).toMatchObject({ status: 422 });
  const { list } = api.deps.eventLog;
  api.deps.eventLog.list = async () => {
    throw Object.assign(new Error('the server ended'), { code: '57P01' });
  };
  try {
    expect(await stream('?starting_after=2020-01-01T00:00:00Z')).toMatchObject({ status: 503 });
  } finally {
    api.deps.eventLog.list = list;
  }
});
