import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { copyRows } from '../../../test/support/copy-rows.ts';
import { startS3, type TestS3 } from '../../../test/support/s3.ts';
import { createEgress, type Egress } from '../../egress/index.ts';
import { decodeCopyText } from '../../lib/copy-text.ts';
import { type TempFolder, tempFolder } from '../../lib/temp-folder.ts';
import type { BulkOutput, BulkRange, LoadPlan, Session, TableLoad } from '../contract.ts';
import { EnginePool } from '../file-formats/engine-pool.ts';
import { bulkDestination } from './bulk-destination.ts';
import { type Configuration, placeOf } from './configuration.ts';
import { s3 } from './index.ts';
import type { Manifest } from './manifest.ts';
import { objectStore } from './store.ts';

let server: TestS3;
let egress: Egress;
let session: Session;
let temp: TempFolder;
let engines: EnginePool;

beforeAll(async () => {
  server = await startS3();
  egress = createEgress({ allow: ['127.0.0.0/8'] });
  session = s3.open({ ...server.configuration }, { egress });
  temp = await tempFolder();
  engines = new EnginePool(signal, async () => temp.path);
});
afterAll(async () => {
  await session.close();
  await engines.close();
  await temp[Symbol.asyncDispose]();
  await egress.close();
  await server.close();
});
beforeEach(async () => {
  server.behave(() => undefined);
  for (const key of await server.keys()) await server.remove(key);
});

const { signal } = new AbortController();
const formats = ['parquet', 'csv', 'jsonl'] as const;
const own = { syncedAt: 'synced', deletedAt: 'deleted' };

function destination(partSize = 1_000_000) {
  const place = placeOf(server.configuration as unknown as Configuration);
  const openStore = (until: AbortSignal) => objectStore(place, { egress, signal: until });
  return bulkDestination({ place, openStore, temp: async () => temp, engines, signal, partSize });
}

const outputOf = (more: Partial<BulkOutput> & { types?: Record<string, string> } = {}): BulkOutput => {
  const { types = { id: 'bigint', name: 'text' }, ...rest } = more;
  const columns = Object.entries(types).map(([name, type]) => ({
    name,
    outputName: name,
    type,
    nullable: true,
  }));
  return { origin: undefined, schema: 'crm', name: 'people', columns, primaryKey: ['id'], ...rest };
};
const planOf = (more: Partial<LoadPlan> = {}): LoadPlan => ({
  executionId: crypto.randomUUID(),
  mode: 'replace',
  truncate: false,
  ranged: false,
  ...more,
});

type Rows = (string | null)[][];

async function load(rows: Rows, output: BulkOutput, plan: Partial<LoadPlan> = {}, partSize?: number) {
  const opened = await destination(partSize).load(output, planOf(plan));
  await opened.write(copyRows(rows), 'copy-text');
  return opened.commit({ at: rows.length });
}

/** What a reader that follows the manifest sees. */
async function table(id = 'crm.people', columns?: string[]): Promise<Rows> {
  const { bulkSource: source } = session;
  const found = await source?.table(id, undefined);
  if (source === undefined || found === undefined) throw new Error('no table');
  const chosen = found.columns.filter(({ name }) => columns === undefined || columns.includes(name));
  const rows = await source.read({ ...found, columns: chosen }, 'copy-text', {});
  return (await Array.fromAsync(decodeCopyText(rows))).flat().sort((a, b) => Number(a[0]) - Number(b[0]));
}
const manifest = async () => JSON.parse(`${await server.get('crm/people/_manifest.json')}`) as Manifest;
const range = (id: string): BulkRange => ({ id, bounds: {} });

test.each(formats)(
  '%s: a load replaces the table; its files are bounded, and nothing else stays',
  async (format) => {
    const options = { format };
    const many: Rows = Array.from({ length: 1000 }, (_, index) => [String(index), 'x'.repeat(100)]);
    await load(many, outputOf({ options }), {}, 40_000);
    const first = await manifest();
    expect(first.files.length).toBeGreaterThanOrEqual(format === 'parquet' ? 2 : 3);
    expect([first.rows, first.position, first.format, first.primaryKey]).toEqual([
      1000,
      { at: 1000 },
      format,
      ['id'],
    ]);
    expect(await table()).toEqual(many);
    const rows: Rows = [
      ['1', null],
      ['2', ''],
      ['3', 'tab\t "quoted", \\N 💥\r\n'],
    ];
    await load(rows, outputOf({ options }));
    expect(await table()).toEqual(rows);
    const { files } = await manifest();
    const expected = ['crm/people/_manifest.json', ...files.map(({ path }) => `crm/people/${path}`)];
    expect(await server.keys()).toEqual(expected.sort());
    expect(await destination().position({ schema: 'crm', name: 'people' })).toEqual({ at: 3 });
    await load([], outputOf({ options }));
    expect(await table()).toEqual([]);
  },
);

test('until the commit readers see the old rows; a load that is aborted, discarded or refused leaves them', async () => {
  const rows: Rows = [['1', 'old']];
  await load(rows, outputOf());
  const before = await server.keys();
  const aborted = await destination().load(outputOf(), planOf());
  await aborted.write(copyRows([['1', 'new']]), 'copy-text');
  expect(await table()).toEqual(rows);
  await aborted.abort();
  await aborted.abort();
  expect(await table()).toEqual(rows);
  const discarded = await destination().load(outputOf(), planOf());
  await discarded.write(copyRows([['1', 'new']]), 'copy-text');
  await discarded.discard();
  expect(await table()).toEqual(rows);
  const failed = await destination().load(outputOf(), planOf());
  await expect(failed.write(copyRows([['x', 'new']]), 'copy-text')).rejects.toThrow(/Conversion Error/);
  await failed.abort();
  expect(await table()).toEqual(rows);
  await load([['2', 'next']], outputOf());
  expect((await server.keys()).length).toBe(before.length);
});

test('a commit whose manifest cannot be written leaves the old table; one whose answer is lost is done', async () => {
  await load([['1', 'old']], outputOf());
  const manifestPut = ({ method, key }: { method: string; key: string }) =>
    method === 'PUT' && key.endsWith('_manifest.json');
  server.behave((request) => (manifestPut(request) ? 'reset' : undefined));
  await expect(load([['1', 'new']], outputOf())).rejects.toMatchObject({ name: 'ConnectionLost' });
  server.behave(() => undefined);
  expect(await table()).toEqual([['1', 'old']]);
  let lost = 0;
  server.behave((request) => (manifestPut(request) && lost++ === 0 ? 'cut' : undefined));
  await load([['1', 'newer']], outputOf());
  expect(lost).toBeGreaterThan(1);
  expect(await table()).toEqual([['1', 'newer']]);
});

test('of two loads of one table at the same time the second to commit is refused', async () => {
  const [one, other] = [
    await destination().load(outputOf(), planOf()),
    await destination().load(outputOf(), planOf()),
  ];
  await one.write(copyRows([['1', 'one']]), 'copy-text');
  await other.write(copyRows([['1', 'other']]), 'copy-text');
  await one.commit({});
  await expect(other.commit({})).rejects.toThrow('Another execution has loaded crm.people meanwhile');
  await other.discard();
  expect(await table()).toEqual([['1', 'one']]);
});

test('ranges that are stored survive a worker that dies; the next one goes on from them', async () => {
  const plan = planOf({ ranged: true });
  const died: TableLoad = await destination().load(outputOf(), plan);
  await died.write(copyRows([['1', 'a']]), 'copy-text', range('r/1'));
  server.behave(({ method, key }) => (method === 'PUT' && key.includes('/_loads/') ? 'hang' : undefined));
  const cut = expect(
    died.write(copyRows([['2', 'never stored']]), 'copy-text', range('r/2')),
  ).rejects.toThrow();
  await expect
    .poll(() => server.requests.filter(({ key }) => key.includes('r%2F2')).length)
    .toBeGreaterThan(0);
  await died.abort();
  await cut;
  server.behave(() => undefined);
  const next = await destination().load(outputOf(), plan);
  expect(next.stored).toEqual(new Map([['r/1', 1]]));
  await next.write(
    copyRows([
      ['2', 'b'],
      ['3', 'c'],
    ]),
    'copy-text',
    range('r/2'),
  );
  await next.commit({});
  expect(await table()).toEqual([
    ['1', 'a'],
    ['2', 'b'],
    ['3', 'c'],
  ]);
  const { files } = await manifest();
  expect((await server.keys()).length).toBe(files.length + 1);
  const other = await destination().load(outputOf({ types: { id: 'text', name: 'text' } }), plan);
  expect(other.stored.size).toBe(0);
  await other.discard();
});

test('a worker that was overtaken by another of the same execution leaves what that one committed', async () => {
  const plan = planOf({ ranged: true });
  const stalled = await destination().load(outputOf(), plan);
  await stalled.write(copyRows([['1', 'a']]), 'copy-text', range('r1'));
  const other = await destination().load(outputOf(), plan);
  expect(other.stored.size).toBe(1);
  await other.write(copyRows([['2', 'b']]), 'copy-text', range('r2'));
  await other.commit({});
  await expect(stalled.commit({})).rejects.toThrow('Another execution has loaded crm.people meanwhile');
  await stalled.discard();
  expect(await table()).toEqual([
    ['1', 'a'],
    ['2', 'b'],
  ]);
});

test('a worker that has taken over goes on from what is stored, whatever the one before it does', async () => {
  const plan = planOf({ ranged: true });
  const stalled = await destination().load(outputOf(), plan);
  await stalled.write(copyRows([['1', 'a']]), 'copy-text', range('r1'));
  const other = await destination().load(outputOf(), plan);
  await stalled.discard();
  await other.commit({});
  expect(await table()).toEqual([['1', 'a']]);
});

test('a load whose files are gone is refused, and the old table stays', async () => {
  await load([['1', 'old']], outputOf());
  const plan = planOf();
  const opened = await destination().load(outputOf(), plan);
  await opened.write(copyRows([['1', 'a']]), 'copy-text');
  for (const key of await server.keys(`crm/people/data/${plan.executionId}/`)) await server.remove(key);
  await expect(opened.commit({})).rejects.toThrow('discarded this one');
  await opened.discard();
  expect(await table()).toEqual([['1', 'old']]);
  expect((await server.keys()).length).toBe(2);
});

test('a worker that dies while it tidies up leaves no ranges whose files are gone', async () => {
  const died = await destination().load(outputOf(), planOf({ ranged: true }));
  await died.write(copyRows([['1', 'a']]), 'copy-text', range('r1'));
  server.behave(({ method, key }) => (method === 'DELETE' && key.includes('/data/') ? 'reset' : undefined));
  await load([['2', 'b']], outputOf());
  expect(await server.keys('crm/people/_loads/')).toEqual([]);
  expect((await server.keys('crm/people/data/')).length).toBe(2);
  server.behave(() => undefined);
  await load([['3', 'c']], outputOf());
  expect((await server.keys()).length).toBe(2);
});

test('stored ranges are used again only for the same values of the same source columns', async () => {
  const plan = planOf({ ranged: true });
  const output = outputOf();
  const [id, name] = output.columns;
  if (id === undefined || name === undefined) throw new Error('no columns');
  const first = await destination().load(output, plan);
  const others: Partial<BulkOutput>[] = [
    { columns: [id, { ...name, obfuscated: true }] },
    { columns: [id, { ...name, name: 'secret' }] },
    { primaryKey: ['name'] },
    { partitionBy: 'name' },
  ];
  for (const more of others) {
    await first.write(copyRows([['1', 'a']]), 'copy-text', range('r1'));
    expect((await destination().load(output, plan)).stored.size).toBe(1);
    expect((await destination().load(outputOf(more), plan)).stored.size).toBe(0);
    // What did not fit once would be beside the ranges that were read instead.
    expect((await destination().load(output, plan)).stored.size).toBe(0);
  }
  await first.discard();
});

test.each(formats)('%s: a merge replaces rows by key; others stay, are marked or removed', async (format) => {
  const output = outputOf({ options: { format }, ...own });
  const rows = (...ids: string[]): Rows => ids.map((id) => [id, `first ${id}`]);
  await load(rows('1', '2'), output, { mode: 'merge' });
  await load(rows('3'), output, { mode: 'merge' });
  const { files: before } = await manifest();
  const merged = await load(
    [
      ['3', 'second'],
      ['4', 'new'],
    ],
    output,
    { mode: 'merge' },
  );
  expect(merged).toEqual({ inserted: 1, updated: 1, changes: [] });
  expect(await table('crm.people', ['id', 'name'])).toEqual([
    ['1', 'first 1'],
    ['2', 'first 2'],
    ['3', 'second'],
    ['4', 'new'],
  ]);
  const { files: after } = await manifest();
  expect(after[0]).toEqual(before[0]);

  const marked = await load(
    [
      ['2', 'again'],
      ['5', null],
    ],
    output,
    { mode: 'merge', missing: 'mark' },
  );
  expect(marked).toEqual({ inserted: 1, updated: 1, deleted: 3, changes: [] });
  const found = await table('crm.people', ['id', 'deleted']);
  expect(found.map(([id, deleted]) => [id, deleted !== null])).toEqual([
    ['1', true],
    ['2', false],
    ['3', true],
    ['4', true],
    ['5', false],
  ]);
  const back = await load(
    [
      ['1', 'back'],
      ['2', 'again'],
    ],
    output,
    { mode: 'merge', missing: 'mark' },
  );
  expect(back).toEqual({ inserted: 0, updated: 2, deleted: 1, changes: [] });
  const removed = await load([['1', 'left']], output, { mode: 'merge', missing: 'remove' });
  expect(removed).toEqual({ inserted: 0, updated: 1, deleted: 4, changes: [] });
  expect(await table('crm.people', ['id', 'name', 'deleted'])).toEqual([['1', 'left', null]]);
});

test('a merge adds and widens columns, and rows keep what only the table has', async () => {
  const types = { id: 'integer', name: 'text', gone: 'numeric(10,2)' };
  await load(
    [
      ['1', 'a', '1.50'],
      ['2', 'b', '2.00'],
    ],
    outputOf({ types }),
  );
  const next = outputOf({
    types: { id: 'bigint', name: 'text', more: 'boolean' },
    options: { format: 'csv' },
  });
  const { changes } = await load(
    [
      ['2', 'B', 't'],
      ['9007199254740993', 'c', null],
    ],
    next,
    { mode: 'merge' },
  );
  expect(changes).toEqual([
    'column id widened from integer to bigint',
    'column gone is not in the source any more: it stays, empty in new rows',
    'column more added as boolean',
  ]);
  expect(await table()).toEqual([
    ['1', 'a', '1.50', null],
    ['2', 'B', '2.00', 't'],
    ['9007199254740993', 'c', null, null],
  ]);
  expect((await manifest()).files.every(({ path }) => path.endsWith('.csv'))).toBe(true);
  await expect(
    load([], outputOf({ types: { id: 'date', name: 'text' } }), { mode: 'merge' }),
  ).rejects.toThrow('column id is bigint in crm.people and date in the source, and neither type holds');
});

test('a merge refuses keys that are not keys, and leaves the table', async () => {
  await load([['1', 'a']], outputOf());
  await expect(
    load(
      [
        ['2', 'b'],
        ['2', 'c'],
      ],
      outputOf(),
      { mode: 'merge' },
    ),
  ).rejects.toThrow('1 rows share the key (id) of crm.people');
  await expect(load([[null, 'b']], outputOf(), { mode: 'merge' })).rejects.toThrow(
    '1 rows have no value in the key',
  );
  expect(await table()).toEqual([['1', 'a']]);
});

test.each(formats)('%s: rows are laid out by a column; any value makes a safe folder', async (format) => {
  const days = ['2024-01-01', 'a/b', '../..', '', null, 'x=y&z', 'ü💥', 'line\nbreak', 'l'.repeat(300)];
  const rows: Rows = days.flatMap((day, index) => [
    [String(index), day],
    [String(index + 100), day],
  ]);
  const output = outputOf({
    types: { id: 'bigint', 'day of': 'text' },
    partitionBy: 'day of',
    options: { format },
  });
  await load(rows, output);
  const { files, partitionBy } = await manifest();
  expect([partitionBy, files.length]).toEqual(['day of', days.length]);
  expect(new Set(files.map(({ partition }) => partition))).toEqual(new Set(days));
  const folders = files.map(({ path }) => path.split('/')[2]);
  expect(folders).toContain('day%20of=2024-01-01');
  expect(folders).toContain('day%20of=..%2F..');
  expect(folders).toContain('day%20of=__HIVE_DEFAULT_PARTITION__');
  for (const { path } of files) expect(path).toMatch(/^data\/[\w-]+\/day%20of=[\w%.~-]*\/part-[\w-]+\.\w+$/);
  expect(await table()).toEqual(rows.sort((a, b) => Number(a[0]) - Number(b[0])));
  await load(
    [
      ['0', '2025-01-01'],
      ['200', null],
    ],
    output,
    { mode: 'merge' },
  );
  expect((await table()).length).toBe(rows.length + 1);
});

test('names with quotes, dots and slashes stay inside the table’s own folder', async () => {
  const output = outputOf({
    schema: '..',
    name: `a/../b "q"'\n💥`,
    types: { id: 'bigint', 'we"ird, \n': 'text' },
  });
  await load([['1', 'x']], { ...output, options: { format: 'csv' } });
  const keys = await server.keys();
  expect(keys).toContain('%2E%2E/a%2F..%2Fb%20%22q%22%27%0A%F0%9F%92%A5/_manifest.json');
  const [schema] = (await session.catalogue?.schemas()) ?? [];
  expect(schema?.fields.map(({ name }) => name)).toEqual(['id', 'we"ird, \n']);
  expect(await table(schema?.id)).toEqual([['1', 'x']]);
});

test.each(['data', '_loads', 'latest'])(
  'a table named %s is not in the way of one above it',
  async (name) => {
    await load([['1', 'below']], outputOf({ schema: 'crm/people', name }));
    await load([['2', 'above']], outputOf({ options: { latest: true } }));
    const there = await destination().position({ schema: 'crm/people', name });
    expect(there).toEqual({ at: 1 });
    expect(await destination().position({ schema: 'crm', name: 'people' })).toEqual({ at: 1 });
  },
);

test('with latest the files are also where readers without a manifest look', async () => {
  const output = outputOf({ options: { latest: true, format: 'csv' } });
  await load([['1', 'a']], output);
  await load([['2', 'b']], output);
  const [only, ...more] = await server.keys('crm/people/latest/');
  expect(more).toEqual([]);
  expect(`${await server.get(only ?? '')}`).toBe('id,name\n2,b\n');
});

test('what is refused is refused before anything is read', async () => {
  await expect(load([], outputOf({ options: { format: 'xml' } }))).rejects.toThrow(
    'format takes parquet, csv, jsonl',
  );
  await expect(load([], outputOf({ types: { id: 'text', ID: 'text' } }))).rejects.toThrow(
    'would have two columns ID',
  );
  await server.put('crm/people/_manifest.json', '{"other": true}');
  await expect(load([], outputOf())).rejects.toThrow('was not written by this version of Tidemark');
  await server.remove('crm/people/_manifest.json');
  await load([['1', 'a']], outputOf());
  const origin = (await session.bulkSource?.table('crm.people', undefined))?.origin;
  await expect(load([], outputOf({ origin }))).rejects.toThrow('is the source table itself');
});
