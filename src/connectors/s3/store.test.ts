import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startS3, type TestS3 } from '../../../test/support/s3.ts';
import { createEgress, type Egress } from '../../egress/index.ts';
import { type Configuration, placeOf } from './configuration.ts';
import { type ObjectStore, objectStore } from './store.ts';

let s3: TestS3;
let egress: Egress;
let store: ObjectStore;

beforeAll(async () => {
  s3 = await startS3();
  egress = createEgress({ allow: ['127.0.0.0/8'] });
  store = open();
});
afterAll(async () => {
  await egress.close();
  await s3.close();
});
beforeEach(() => s3.behave(() => undefined));

const open = (settings: Partial<Configuration> = {}, through = egress, signal?: AbortSignal) =>
  objectStore(placeOf({ ...(s3.configuration as unknown as Configuration), ...settings }), {
    egress: through,
    ...(signal === undefined ? {} : { signal }),
  });
const find = async (key: string) => {
  const [object] = await Array.fromAsync(store.list(key));
  if (object === undefined) throw new Error(`no ${key}`);
  return object;
};
const readAll = async (key: string) => Buffer.concat(await Array.fromAsync(store.read(await find(key))));

test('keys of any kind are written, listed, read, copied and removed', async () => {
  const names = [
    'a b',
    'c+d',
    '../../etc/passwd',
    './x',
    'ü/💥',
    `q"'<&>`,
    'line\nbreak',
    '%2e%2e/y',
    "(it's)!*",
  ];
  const keys = names.map((name) => `odd/${name}`);
  for (const key of keys) await store.write(key, key);
  const listed = await Array.fromAsync(store.list('odd/'), ({ key }) => key);
  expect(listed.toSorted()).toEqual(keys.toSorted());
  for (const key of keys) {
    expect((await store.text(key))?.text).toBe(key);
    await store.copy(key, `copy/${key}`);
    expect(`${await readAll(`copy/${key}`)}`).toBe(key);
    await store.remove(key);
    expect(await store.text(key)).toBeUndefined();
  }
});

test('a list of more than a page, parts of an object, and one that is empty', async () => {
  await Promise.all(Array.from({ length: 1001 }, (_, index) => s3.put(`many/${index}`, 'x')));
  expect((await Array.fromAsync(store.list('many/'))).length).toBe(1001);
  await s3.put('part', '0123456789');
  await s3.put('empty', '');
  const [part, empty] = [await find('part'), await find('empty')];
  const texts = [await store.part(part, 3), await store.part(part, -3), await store.part(part, -99)].map(
    String,
  );
  expect(texts).toEqual(['012', '789', '0123456789']);
  expect(`${await store.part(empty, 5)}`).toBe('');
  expect(`${await readAll('empty')}`).toBe('');
});

test('a big file goes up in parts; a download that breaks off goes on where it was', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'store-'));
  const content = Buffer.alloc(20 * 1024 * 1024, 'the quick brown fox ');
  await writeFile(path.join(folder, 'big'), content);
  let cuts = 0;
  s3.behave(({ method, query }) => {
    if (method === 'PUT' && query.get('partNumber') === '2' && cuts++ === 0) return 503;
    return undefined;
  });
  await store.upload('big', path.join(folder, 'big'));
  expect(cuts).toBeGreaterThan(1);
  cuts = 0;
  s3.behave(({ method }) => (method === 'GET' && cuts++ > 0 && cuts < 4 ? 'cut' : undefined));
  expect((await readAll('big')).equals(content)).toBe(true);
  expect(cuts).toBe(4);
  await rm(folder, { recursive: true });
});

test('no more is taken of an object than was asked for, and no less', async () => {
  await s3.put('part', '0123456789');
  const object = await find('part');
  s3.behave(() => 'whole');
  await expect(store.part(object, 3)).rejects.toThrow('sends part from its beginning');
  await expect(store.part({ ...object, size: 5 }, -99)).rejects.toThrow('more than the 5 bytes');
  let answers = 0;
  s3.behave(() => (answers++ === 0 ? 'cut' : 'whole'));
  await expect(Array.fromAsync(store.read(object))).rejects.toThrow('sends part from its beginning');
  s3.behave(() => undefined);
  const read = (size: number) => Array.fromAsync(store.read({ ...object, size }));
  await expect(read(5)).rejects.toThrow('part has more than the 5 bytes');
  await expect(read(20)).rejects.toThrow('part has less than the 20 bytes');
  const folder = await mkdtemp(path.join(os.tmpdir(), 'store-'));
  await writeFile(path.join(folder, 'long'), '');
  await truncate(path.join(folder, 'long'), 64 * 1024 * 1024 + 1);
  await store.upload('long', path.join(folder, 'long'));
  await expect(store.text('long')).rejects.toThrow('long has more than the 67108864 bytes');
  await expect(store.write('longer', 'x'.repeat(64 * 1024 * 1024 + 1))).rejects.toThrow('would have more');
  await rm(folder, { recursive: true });
});

test('a write takes the place of the version that was read, or of none', async () => {
  await store.write('manifest', 'one', null);
  await expect(store.write('manifest', 'two', null)).rejects.toThrow('written by somebody else');
  const etag = (await store.text('manifest'))?.etag ?? '';
  await store.write('manifest', 'three', etag);
  await expect(store.write('manifest', 'four', etag)).rejects.toMatchObject({ name: 'Overtaken' });
  expect((await store.text('manifest'))?.text).toBe('three');
});

test('what the store refuses and what cannot be reached are told apart', async () => {
  await expect(find.call(null, 'nothing')).rejects.toThrow('no nothing');
  const list = (settings: Partial<Configuration>, through = egress) =>
    Array.fromAsync(open(settings, through).list(''));
  await expect(list({ s3_bucket_name: 'no-such-bucket' })).rejects.toThrow(
    'there is no bucket no-such-bucket',
  );
  await expect(list({ endpoint: 'http://127.0.0.1:1' })).rejects.toMatchObject({ name: 'ConnectionLost' });
  const closed = createEgress({ allow: [] });
  await expect(list({}, closed)).rejects.toThrow(/private, loopback.*TIDEMARK_EGRESS_ALLOW/);
  await expect(list({ endpoint: 'http://169.254.169.254' })).rejects.toThrow('TIDEMARK_EGRESS_ALLOW');
  await closed.close();
  const bad: Partial<Configuration>[] = [
    { auth_mode: 'iam_role' },
    { aws_access_key_id: '' },
    { s3_bucket_region: 'evil.example.com/' },
    { s3_bucket_name: '../x' },
    { endpoint: 'ftp://x' },
  ];
  for (const settings of bad) expect(() => open(settings)).toThrow(/^configuration\.\w+: /);
});

test('an answer that never comes ends with the signal', async () => {
  s3.behave(() => 'hang');
  const controller = new AbortController();
  const listed = Array.fromAsync(open({}, egress, controller.signal).list(''));
  await expect.poll(() => s3.requests.at(-1)?.query.get('list-type')).toBe('2');
  controller.abort(new Error('enough'));
  await expect(listed).rejects.toThrow('enough');
});

test('neither the host’s environment nor its files say where to go or who we are', async () => {
  vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:1');
  vi.stubEnv('AWS_ENDPOINT_URL_S3', 'http://127.0.0.1:1');
  vi.stubEnv('AWS_REGION', 'nowhere-1');
  vi.stubEnv('AWS_USE_FIPS_ENDPOINT', 'true');
  vi.stubEnv('AWS_MAX_ATTEMPTS', 'x');
  vi.stubEnv('AWS_CONFIG_FILE', '/proc/self/mem');
  try {
    expect((await Array.fromAsync(open().list('part'))).length).toBe(1);
  } finally {
    vi.unstubAllEnvs();
  }
});
