import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import tls from 'node:tls';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { selfSigned } from '../../test/support/certificate.ts';
import { createEgress } from './client.ts';
import type { Egress } from './contract.ts';

const { key, cert } = selfSigned('localhost');
const trusted = tls.getCACertificates();
let egress: Egress;
beforeAll(() => {
  tls.setDefaultCACertificates([...trusted, cert]);
  egress = createEgress({ allow: ['127.0.0.0/8', '::1/128'] });
});
afterAll(async () => {
  await egress.close();
  tls.setDefaultCACertificates(trusted);
});

/** Its port, and the sockets it has had. */
async function listening(server: net.Server): Promise<{ port: number; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket.on('error', () => {})));
  server.on('tlsClientError', () => {});
  server.listen(0, 'localhost');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, sockets };
}

const post = (by: Egress, url: string, deadline = 30_000) =>
  by.request({ url, method: 'POST', headers: {}, body: '{}', deadline });

test('a session of HTTP/2 that falls silent is not used again', async () => {
  let silent = false;
  const server = http2.createSecureServer({ key, cert }, (_, response) => {
    if (!silent) response.end('ok');
  });
  const { port, sockets } = await listening(server);
  const url = `https://localhost:${port}/`;
  expect((await post(egress, url)).status).toBe(200);
  expect((await post(egress, url)).status).toBe(200);
  expect(sockets.length).toBe(1);
  silent = true;
  await expect(post(egress, url, 200)).rejects.toMatchObject({ failure: 'timeout' });
  silent = false;
  expect((await post(egress, url)).status).toBe(200);
  expect(sockets.length).toBe(2);
});

test('what one tenant is answered never reaches another, nor breaks off what another is sent', async () => {
  const server = http2.createSecureServer({ key, cert, allowHTTP1: true }, (request, response) => {
    if (request.url === '/endless') response.end(Buffer.alloc(5_000_000));
    else response.end('ok');
  });
  const { port, sockets } = await listening(server);
  const url = `https://localhost:${port}`;
  const [a, b] = [egress.of('a'), egress.of('b')];
  const together = await Promise.all([post(a, `${url}/endless`), post(b, `${url}/b`), post(a, `${url}/a`)]);
  expect(together.map(({ body }) => body.length)).toEqual([64 * 1024, 2, 2]);
  expect((await post(b, `${url}/b`)).status).toBe(200);
  expect(sockets.length).toBe(3);

  // Over HTTP/1 the endpoint of the one appends an answer to the next request on the connection.
  const forger = net.createServer((socket) => {
    socket.on('data', () => {
      const answer = (text: string) => `HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
      socket.write(answer('own') + answer('forged'));
    });
  });
  const forged = `http://localhost:${(await listening(forger)).port}/`;
  for (const tenant of ['a', 'b', 'b']) {
    expect(`${(await post(egress.of(tenant), forged)).body}`).toBe('own');
  }
});

test('a connection is kept for the same tenant’s next request to the origin, one request at a time', async () => {
  const { port, sockets } = await listening(http.createServer((_, response) => response.end('ok')));
  const url = `http://localhost:${port}/`;
  for (let n = 0; n < 3; n++) await post(egress.of('a'), url);
  expect(sockets.length).toBe(1);
  await Promise.all([post(egress.of('a'), url), post(egress.of('a'), url)]);
  expect(sockets.length).toBe(2);
  await post(egress.of('b'), url);
  expect(sockets.length).toBe(3);
});

test('interim responses are accepted, wherever they are cut', async () => {
  const interim =
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n';
  const answer = `${interim}HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok`;
  const server = net.createServer((socket) => {
    let cut = false;
    socket.setNoDelay(true).on('data', async () => {
      cut = !cut;
      for (const piece of cut ? answer : [answer]) {
        socket.write(piece);
        await setImmediate();
      }
    });
  });
  const { port, sockets } = await listening(server);
  for (let n = 0; n < 2; n++) {
    const { status, body } = await post(egress, `http://localhost:${port}/`);
    expect([status, `${body}`]).toEqual([201, 'ok']);
  }
  expect(sockets.length).toBe(1);
  const stream = await egress.stream({
    url: `http://localhost:${port}/`,
    method: 'GET',
    headers: {},
    idle: 30_000,
  });
  expect([stream.status, `${Buffer.concat(await stream.body.toArray())}`]).toEqual([201, 'ok']);
});

test('the status is on record although the headers are too long to read', async () => {
  const headers = `x-a: ${'y'.repeat(1000)}\r\n`.repeat(20);
  const server = net.createServer((socket) => {
    socket.on('data', () => socket.write(`HTTP/1.1 200 OK\r\n${headers}content-length: 2\r\n\r\nok`));
  });
  const { port } = await listening(server);
  const answer = await post(egress, `http://localhost:${port}/`);
  expect(answer).toMatchObject({ status: 200, headers: {}, body: Buffer.alloc(0) });
});

test('a reader that is slow gets everything, although the other side has said goodbye', async () => {
  const body = Buffer.alloc(400_000, 'x');
  const server = http.createServer({ keepAliveTimeout: 1 }, (_, response) => {
    response.writeHead(200, { 'content-length': body.length }).end(body);
  });
  const { port, sockets } = await listening(server);
  const { body: stream } = await egress.stream({
    url: `http://localhost:${port}/`,
    method: 'GET',
    headers: {},
    idle: 30_000,
  });
  // Nothing is read before the server has closed the connection.
  await once(sockets[0] as Socket, 'close');
  for (let n = 0; n < 20; n++) await setImmediate();
  expect(Buffer.concat(await stream.toArray()).equals(body)).toBe(true);
});

test('what keeps an endpoint from answering is said in words, and none of them is OpenSSL’s', async () => {
  const answers = (_: unknown, response: http.ServerResponse) => response.end('ok');
  const closes = net.createServer((socket) => socket.once('data', () => socket.end()));
  const alerts = net.createServer((socket) =>
    socket.once('data', () => socket.end(Buffer.of(0x15, 3, 1, 0, 2, 2, 40))),
  );
  const wantsCertificate = { key, cert, requestCert: true, rejectUnauthorized: true };
  const old = { key, cert, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
  const servers: [scheme: string, server: net.Server, words: RegExp, failure: string][] = [
    ['https', http.createServer(answers), /^the port does not speak TLS \(wrong version number\)$/, 'tls'],
    [
      'http',
      https.createServer({ key, cert }, answers),
      /an endpoint that wants https:\/\/ does so/,
      'reset',
    ],
    ['http', alerts, /its URL has to begin with https:\/\//, 'tls'],
    ['https', https.createServer(wantsCertificate, answers), /wants a client certificate/, 'reset'],
    [
      'https',
      https.createServer({ ...wantsCertificate, maxVersion: 'TLSv1.2' }, answers),
      /may want a client certificate/,
      'tls',
    ],
    ['https', https.createServer(old, answers), /does not speak TLS 1\.2 or 1\.3/, 'tls'],
    ['https', closes, /closed the connection during the TLS handshake/, 'reset'],
  ];
  for (const [scheme, server, words, failure] of servers) {
    const { port } = await listening(server);
    const error = await post(egress, `${scheme}://localhost:${port}/`).catch((one: Error) => one);
    expect(error).toMatchObject({ name: 'EgressError', failure, message: words });
    expect((error as Error).message).not.toMatch(/error:|openssl|\n/);
  }
});
