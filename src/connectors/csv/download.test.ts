import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Behaviour, type Receiver, startReceiver } from '../../../test/support/receiver.ts';
import { createEgress, type Egress } from '../../egress/index.ts';
import { type TempFolder, tempFolder } from '../../lib/temp-folder.ts';
import type { Configuration } from './configuration.ts';
import { type Download, download } from './download.ts';

let receiver: Receiver;
let other: Receiver;
let egress: Egress;
let temp: TempFolder;

beforeEach(async () => {
  receiver = await startReceiver();
  other = await startReceiver();
  egress = createEgress({ allow: ['127.0.0.1/32'] });
  temp = await tempFolder();
});
afterEach(async () => {
  await temp[Symbol.asyncDispose]();
  await egress.close();
  await receiver.close();
  await other.close();
});

async function fetched(settings: Partial<Configuration> = {}, options: Partial<Download> = {}) {
  const file = temp.file();
  const since = await download({ url: `${receiver.url}/a.csv`, ...settings }, file, { egress, ...options });
  return { since, text: since === undefined ? undefined : `${await readFile(file)}` };
}
const answer = (body: string | Buffer, headers?: Record<string, string>): Behaviour => ({
  status: 200,
  body,
  ...(headers && { headers }),
});

test('a file is stored as it is; gzip is told by its bytes and unpacked', async () => {
  receiver.behave(() => answer('id\n1\n'));
  expect((await fetched()).text).toBe('id\n1\n');
  receiver.behave(() => answer(gzipSync('id\n2\n'), { 'content-type': 'text/csv' }));
  expect((await fetched()).text).toBe('id\n2\n');
  for (const short of ['', 'a', '\x1f']) {
    receiver.behave(() => answer(short));
    expect((await fetched()).text).toBe(short);
  }
});

test('an unchanged file is not fetched again', async () => {
  receiver.behave(({ headers }) =>
    headers['if-none-match'] === '"1"' ? { status: 304 } : answer('x', { etag: '"1"' }),
  );
  const { since = {} } = await fetched();
  expect(since).toEqual({ etag: '"1"' });
  expect((await fetched({}, { since })).since).toBeUndefined();
});

test('headers, parameters and every way to authenticate', async () => {
  const last = () => receiver.requests.at(-1);
  await fetched({
    url: `${receiver.url}/a?x=1`,
    headers: [{ name: 'x-a', value: 'b' }],
    parameters: [{ name: 'p', value: 'q r' }],
  });
  expect(last()?.url).toBe('/a?x=1&p=q+r');
  expect(last()?.headers['x-a']).toBe('b');
  await fetched({ auth: { basic: { username: 'u', password: 'p' } } });
  expect(last()?.headers.authorization).toBe(`Basic ${Buffer.from('u:p').toString('base64')}`);
  await fetched({ auth: { header: { name: 'x-key', value: 'k' }, query: [{ name: 'key', value: 'v' }] } });
  expect(last()?.headers['x-key']).toBe('k');
  expect(last()?.url).toBe('/a.csv?key=v');
  receiver.behave(({ url }) => (url === '/token' ? answer('{"access_token":"T"}') : 200));
  const oauth = {
    client_id: 'i',
    client_secret: 's',
    token_endpoint: `${receiver.url}/token`,
    scopes: ['a', 'b'],
  };
  await fetched({ auth: { oauth } });
  expect(last()?.headers.authorization).toBe('Bearer T');
  const [header] = receiver.requests.filter(({ url }) => url === '/token');
  expect(header?.headers.authorization).toBe(`Basic ${Buffer.from('i:s').toString('base64')}`);
  expect(`${header?.body}`).toBe('grant_type=client_credentials&scope=a+b');
  const extra_form_data = [{ name: 'audience', value: 'x' }];
  await fetched({ auth: { oauth: { ...oauth, auth_style: 1, extra_form_data } } });
  const form = `${receiver.requests.filter(({ url }) => url === '/token').at(-1)?.body}`;
  expect(form).toBe('grant_type=client_credentials&scope=a+b&audience=x&client_id=i&client_secret=s');
  receiver.behave(() => 401);
  await expect(fetched({ auth: { oauth } })).rejects.toThrow('the token endpoint answered 401');
  const twice = { oauth, header: { name: 'authorization', value: 'x' } };
  await expect(fetched({ auth: twice })).rejects.toThrow('configuration.auth.header.name');
  receiver.behave(() => 429);
  await expect(fetched({ auth: { oauth } })).rejects.toMatchObject({
    name: 'ConnectionLost',
    message: 'the token endpoint answered 429 without an access token',
  });
});

test('redirects are followed without what proves who we are, never to where no request may go', async () => {
  receiver.behave(() => ({ redirect: `${other.url}/b` }));
  other.behave(() => answer('there'));
  const auth = { basic: { username: 'u', password: 'p' }, header: { name: 'x-key', value: 'k' } };
  expect((await fetched({ auth })).text).toBe('there');
  expect(other.requests[0]?.headers).not.toHaveProperty('authorization');
  expect(other.requests[0]?.headers).not.toHaveProperty('x-key');
  receiver.behave(() => ({ redirect: 'http://169.254.169.254/latest/meta-data' }));
  await expect(fetched()).rejects.toMatchObject({
    status: 422,
    message: /169\.254\.169\.254.*TIDEMARK_EGRESS_ALLOW/,
  });
  receiver.behave(() => ({ redirect: 'file:///etc/passwd' }));
  await expect(fetched()).rejects.toMatchObject({ status: 422 });
  receiver.behave(() => ({ redirect: '/round' }));
  await expect(fetched()).rejects.toThrow('more than 5 redirects');
});

test('what has no end, claims to be huge, unpacks to too much or is damaged is refused', async () => {
  const limit = 1_000_000;
  receiver.behave(() => 'huge');
  await expect(fetched({}, { limit })).rejects.toThrow('larger than 1000000 bytes');
  receiver.behave(() => ({ status: 200, headers: { 'content-length': String(10 * 1024 ** 3) } }));
  await expect(fetched({}, { limit })).rejects.toThrow('larger than 1000000 bytes');
  const bomb = gzipSync(Buffer.alloc(200_000_000));
  expect(bomb.length).toBeLessThan(limit);
  receiver.behave(() => answer(bomb));
  await expect(fetched({}, { limit })).rejects.toThrow('larger than 1000000 bytes');
  receiver.behave(() => answer(bomb.subarray(0, 50)));
  await expect(fetched({}, { limit })).rejects.toThrow('it is damaged or cut off');
});

test('what may work later is told from what will not', async () => {
  receiver.behave(() => 503);
  await expect(fetched()).rejects.toMatchObject({ name: 'ConnectionLost', message: 'the URL answered 503' });
  for (const status of [429, 503]) {
    receiver.behave(() => ({ status, headers: { 'retry-after': '7' } }));
    await expect(fetched()).rejects.toMatchObject({ name: 'ConnectionLost', pause: 7000 });
  }
  receiver.behave(() => 'reset');
  await expect(fetched()).rejects.toMatchObject({ name: 'ConnectionLost' });
  receiver.behave(() => ({ status: 206, body: 'id\n1\n' }));
  await expect(fetched()).rejects.toThrow('206, which is not the whole file');
  receiver.behave(() => 403);
  await expect(fetched()).rejects.toThrow('the URL answered 403: check configuration.auth');
  await expect(fetched({ url: 'ftp://x/y' })).rejects.toThrow('configuration.url: is not an http');
  receiver.behave(() => 'drip');
  const controller = new AbortController();
  const dripping = fetched({}, { signal: controller.signal });
  await receiver.received(receiver.requests.length);
  controller.abort(new Error('enough'));
  await expect(dripping).rejects.toThrow('enough');
});
