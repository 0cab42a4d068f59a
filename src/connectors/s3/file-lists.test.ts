import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startS3, type TestS3 } from '../../../test/support/s3.ts';
import { createEgress, type Egress } from '../../egress/index.ts';
import { type TempFolder, tempFolder } from '../../lib/temp-folder.ts';
import type { ModelWriter, Session, TargetDefinition } from '../contract.ts';
import { EnginePool } from '../file-formats/engine-pool.ts';
import { type Configuration, placeOf } from './configuration.ts';
import { allFiles, type FileList } from './file-lists.ts';
import { s3 } from './index.ts';
import type { Manifest } from './manifest.ts';
import { modelReplacement } from './model-replacement.ts';
import { ModelTable } from './model-table.ts';
import { appendWriter } from './model-writer.ts';
import { objectStore } from './store.ts';

let server: TestS3;
let egress: Egress;
let temp: TempFolder;
let session: Session;

beforeAll(async () => {
  server = await startS3();
  egress = createEgress({ allow: ['127.0.0.0/8'] });
  temp = await tempFolder();
  session = s3.open({ ...server.configuration }, { egress });
});
afterAll(async () => {
  await session.close();
  await temp[Symbol.asyncDispose]();
  await egress.close();
  await server.close();
});
beforeEach(async () => {
  for (const key of await server.keys()) await server.remove(key);
});

/** Files that the manifest names itself. */
const most = 3;

const definition: TargetDefinition = {
  sync: { id: crypto.randomUUID(), name: 'numbers' },
  object: 'files',
  configuration: { name: 'numbers', format: 'jsonl' },
  mode: 'append',
  identity: 'n',
  fields: [
    {
      source: { name: 'n', type: 'string', remoteType: 'text', nullable: true },
      ...{ target: 'record', createOnly: false },
    },
  ],
};
const place = () => placeOf(server.configuration as unknown as Configuration);
const storeFor = (signal: AbortSignal) => objectStore(place(), { egress, signal });

/** As a worker of its own, which is killed by the signal. */
function tableFor(signal = new AbortController().signal): { table: ModelTable; engines: EnginePool } {
  const engines = new EnginePool(signal, async () => temp.path);
  const context = { place: place(), openStore: storeFor, temp: async () => temp };
  return { table: new ModelTable({ ...context, engines, signal, partSize: 1_000_000 }, definition), engines };
}
const writer = (signal?: AbortSignal) => appendWriter(tableFor(signal).table, most);
const record = (value: string) => [{ key: value, hash: value, values: [value] }];
const append = (
  value: string,
  to = writer(),
  prepared: Parameters<ModelWriter['write']>[1] = async () => {},
) => to.write(record(value), prepared);

const manifest = async () => JSON.parse(`${await server.get('numbers/_manifest.json')}`) as Manifest;

/** What a reader that follows the manifest sees. That is all that there is. */
async function rows(): Promise<(string | null)[]> {
  const found: (string | null)[] = [];
  const read = { configuration: { table: 'numbers' }, fields: ['n'] };
  for await (const batch of session.modelSource?.records(read) ?? []) {
    for (const { values } of batch) found.push(values[0] ?? null);
  }
  return found;
}

async function expectNothingElse(): Promise<void> {
  const { files, lists = [] } = await manifest();
  const listed = await allFiles(storeFor(new AbortController().signal), 'numbers/', { files, lists });
  const named = [{ path: '_manifest.json' }, ...lists, ...listed].map(({ path }) => `numbers/${path}`);
  expect(await server.keys()).toEqual(named.sort());
}

test('a manifest names so many files itself and lists name the others: what a batch costs stays the same', async () => {
  const numbers = Array.from({ length: 11 }, (_, n) => String(n));
  for (const number of numbers) await append(number);
  const { tidemark, rows: count, files, lists = [] } = await manifest();
  expect([tidemark, count, files.length, lists.map((list: FileList) => list.files)]).toEqual([
    ...[2, 11, 2],
    [3, 3, 3],
  ]);
  expect(await rows()).toEqual(numbers);
  await expectNothingElse();
  // Nothing that a list names is looked at any more.
  server.requests.length = 0;
  await append('11');
  const touched = server.requests.map(({ method, key, query }) => `${method} ${query.get('prefix') ?? key}`);
  expect(touched.map((one) => one.replace(/[\w-]{36}/, 'token'))).toEqual([
    'GET numbers/_manifest.json',
    'GET numbers/data/3/',
    'GET numbers/_lists/',
    'PUT numbers/data/3/token/part-0.jsonl',
    'PUT numbers/_manifest.json',
  ]);
  const schemas = (await session.catalogue?.schemas()) ?? [];
  expect(schemas.map(({ id }) => id)).toEqual(['numbers']);
});

test('killed at any request while a list is made: every batch is there once, and nothing else', async () => {
  for (let at = 0, isDone = false; !isDone; at++) {
    for (const key of await server.keys()) await server.remove(key);
    const before = Array.from({ length: 2 * most }, (_, n) => String(n));
    for (const number of before) await append(number);
    await server.put(`numbers/data/1/${crypto.randomUUID()}/part-0.jsonl`, '{"n":"left"}\n');
    const killed = new AbortController();
    let seen = 0;
    server.behave(() => {
      if (seen++ !== at) return undefined;
      setImmediate(() => killed.abort(new Error('killed')));
      return 'hang';
    });
    let token: string | undefined;
    isDone = await append('x', writer(killed.signal), async (prepared) => {
      token = prepared;
    }).then(
      () => true,
      () => false,
    );
    server.behave(() => undefined);
    const next = writer();
    const outcome = token === undefined ? 'aborted' : await next.outcome?.(token);
    if (outcome === 'aborted') await append('x', next);
    await append('y');
    expect([at, await rows()]).toEqual([at, [...before, 'x', 'y']]);
    await expectNothingElse();
    // The manifest, two folders and what is left in one, the file, the list, the manifest.
    if (isDone) expect([at, outcome]).toEqual([7, 'committed']);
  }
});

test('a batch that is in a list by now was committed; one that never came is fenced off, and lists stay', async () => {
  for (let n = 0; n < most - 1; n++) await append(String(n));
  let token = '';
  await append('asked for', writer(), async (prepared) => {
    token = prepared;
  });
  await append('in the next folder');
  expect((await manifest()).lists).toHaveLength(1);
  expect(await writer().outcome?.(token)).toBe('committed');
  const { load } = await manifest();
  expect(await writer().outcome?.(crypto.randomUUID())).toBe('aborted');
  expect((await manifest()).load).not.toBe(load);
  expect(await rows()).toEqual(['0', '1', 'asked for', 'in the next folder']);
});

test('what was appended in lists is replaced like any other', async () => {
  for (let n = 0; n < 8; n++) await append(String(n));
  const { table, engines } = tableFor();
  const replacement = await modelReplacement(table, engines, { ...definition, mode: 'replace' });
  await replacement.add([...record('0'), ...record('new')]);
  const changes: string[] = [];
  const none = (async function* () {})();
  await replacement.replace(
    none,
    async (found) => void changes.push(...found.map(({ status, key }) => `${status} ${key}`)),
    async () => {},
  );
  await engines.close();
  expect(changes.sort()).toEqual([...[1, 2, 3, 4, 5, 6, 7].map((n) => `deleted ${n}`), 'inserted new']);
  expect((await rows()).sort()).toEqual(['0', 'new']);
  await expectNothingElse();
  await append('more');
  expect((await rows()).sort()).toEqual(['0', 'more', 'new']);
});
