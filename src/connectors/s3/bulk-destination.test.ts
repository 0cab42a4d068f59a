import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { copyRows } from '../../../test/support/copy-rows.ts';
import {
  fileFormats,
  outputOf,
  planOf,
  type Rows,
  type S3Tables,
  startS3Tables,
} from '../../../test/support/s3-tables.ts';

let tables: S3Tables;

beforeAll(async () => {
  tables = await startS3Tables();
});
afterAll(() => tables[Symbol.asyncDispose]());
beforeEach(() => tables.clear());

test.each(fileFormats)(
  '%s: a load replaces the table; its files are bounded, and nothing else stays',
  async (format) => {
    const options = { format };
    const many: Rows = Array.from({ length: 1000 }, (_, index) => [String(index), 'x'.repeat(100)]);
    await tables.load(many, outputOf({ options }), {}, 40_000);
    const first = await tables.manifest();
    expect(first.files.length).toBeGreaterThanOrEqual(format === 'parquet' ? 2 : 3);
    expect([first.rows, first.position, first.format, first.primaryKey]).toEqual([
      1000,
      { at: 1000 },
      format,
      ['id'],
    ]);
    expect(await tables.table()).toEqual(many);
    const rows: Rows = [
      ['1', null],
      ['2', ''],
      ['3', 'tab\t "quoted", \\N 💥\r\n'],
    ];
    await tables.load(rows, outputOf({ options }));
    expect(await tables.table()).toEqual(rows);
    const { files } = await tables.manifest();
    const expected = ['crm/people/_manifest.json', ...files.map(({ path }) => `crm/people/${path}`)];
    expect(await tables.server.keys()).toEqual(expected.sort());
    expect(await tables.destination().standing({ schema: 'crm', name: 'people' })).toEqual({
      position: { at: 3 },
    });
    await tables.load([], outputOf({ options }));
    expect(await tables.table()).toEqual([]);
  },
);

test('until the commit readers see the old rows; a load that is aborted, discarded or refused leaves them', async () => {
  const rows: Rows = [['1', 'old']];
  await tables.load(rows, outputOf());
  const before = await tables.server.keys();
  const aborted = await tables.destination().load(outputOf(), planOf());
  await aborted.write(copyRows([['1', 'new']]), 'copy-text');
  expect(await tables.table()).toEqual(rows);
  await aborted.abort();
  await aborted.abort();
  expect(await tables.table()).toEqual(rows);
  const discarded = await tables.destination().load(outputOf(), planOf());
  await discarded.write(copyRows([['1', 'new']]), 'copy-text');
  await discarded.discard();
  expect(await tables.table()).toEqual(rows);
  const failed = await tables.destination().load(outputOf(), planOf());
  await expect(failed.write(copyRows([['x', 'new']]), 'copy-text')).rejects.toThrow(/Conversion Error/);
  await failed.abort();
  expect(await tables.table()).toEqual(rows);
  await tables.load([['2', 'next']], outputOf());
  expect((await tables.server.keys()).length).toBe(before.length);
});

test('a commit whose manifest cannot be written leaves the old table; one whose answer is lost is done', async () => {
  await tables.load([['1', 'old']], outputOf());
  const manifestPut = ({ method, key }: { method: string; key: string }) =>
    method === 'PUT' && key.endsWith('_manifest.json');
  tables.server.behave((request) => (manifestPut(request) ? 'reset' : undefined));
  await expect(tables.load([['1', 'new']], outputOf())).rejects.toMatchObject({ name: 'ConnectionLost' });
  tables.server.behave(() => undefined);
  expect(await tables.table()).toEqual([['1', 'old']]);
  let lost = 0;
  tables.server.behave((request) => (manifestPut(request) && lost++ === 0 ? 'cut' : undefined));
  await tables.load([['1', 'newer']], outputOf());
  expect(lost).toBeGreaterThan(1);
  expect(await tables.table()).toEqual([['1', 'newer']]);
});

test('of two loads of one table at the same time the second to commit is refused', async () => {
  const [one, other] = [
    await tables.destination().load(outputOf(), planOf()),
    await tables.destination().load(outputOf(), planOf()),
  ];
  await one.write(copyRows([['1', 'one']]), 'copy-text');
  await other.write(copyRows([['1', 'other']]), 'copy-text');
  await one.commit({});
  await expect(other.commit({})).rejects.toThrow('Another execution has loaded crm.people meanwhile');
  await other.discard();
  expect(await tables.table()).toEqual([['1', 'one']]);
});

test.each(fileFormats)('%s: rows are laid out by a column; any value makes a safe folder', async (format) => {
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
  await tables.load(rows, output);
  const { files, partitionBy } = await tables.manifest();
  expect([partitionBy, files.length]).toEqual(['day of', days.length]);
  expect(new Set(files.map(({ partition }) => partition))).toEqual(new Set(days));
  const folders = files.map(({ path }) => path.split('/')[2]);
  expect(folders).toContain('day%20of=2024-01-01');
  expect(folders).toContain('day%20of=..%2F..');
  expect(folders).toContain('day%20of=__HIVE_DEFAULT_PARTITION__');
  for (const { path } of files) expect(path).toMatch(/^data\/[\w-]+\/day%20of=[\w%.~-]*\/part-[\w-]+\.\w+$/);
  expect(await tables.table()).toEqual(rows.sort((a, b) => Number(a[0]) - Number(b[0])));
  await tables.load(
    [
      ['0', '2025-01-01'],
      ['200', null],
    ],
    output,
    { mode: 'merge' },
  );
  expect((await tables.table()).length).toBe(rows.length + 1);
});

test('names with quotes, dots and slashes stay inside the table’s own folder', async () => {
  const output = outputOf({
    schema: '..',
    name: `a/../b "q"'\n💥`,
    types: { id: 'bigint', 'we"ird, \n': 'text' },
  });
  await tables.load([['1', 'x']], { ...output, options: { format: 'csv' } });
  const keys = await tables.server.keys();
  expect(keys).toContain('%2E%2E/a%2F..%2Fb%20%22q%22%27%0A%F0%9F%92%A5/_manifest.json');
  const [schema] = (await tables.session.catalogue?.schemas()) ?? [];
  expect(schema?.fields.map(({ name }) => name)).toEqual(['id', 'we"ird, \n']);
  expect(await tables.table(schema?.id)).toEqual([['1', 'x']]);
});

test.each(['data', '_loads', '_lists', 'latest'])(
  'a table named %s is not in the way of one above it',
  async (name) => {
    await tables.load([['1', 'below']], outputOf({ schema: 'crm/people', name }));
    await tables.load([['2', 'above']], outputOf({ options: { latest: true } }));
    const there = await tables.destination().standing({ schema: 'crm/people', name });
    expect(there).toEqual({ position: { at: 1 } });
    expect(await tables.destination().standing({ schema: 'crm', name: 'people' })).toEqual({
      position: { at: 1 },
    });
  },
);

test('with latest the files are also where readers without a manifest look', async () => {
  const output = outputOf({ options: { latest: true, format: 'csv' } });
  await tables.load([['1', 'a']], output);
  await tables.load([['2', 'b']], output);
  const [only, ...more] = await tables.server.keys('crm/people/latest/');
  expect(more).toEqual([]);
  expect(`${await tables.server.get(only ?? '')}`).toBe('id,name\n2,b\n');
});

test('what is refused is refused before anything is read', async () => {
  await expect(tables.load([], outputOf({ options: { format: 'xml' } }))).rejects.toThrow(
    'format takes parquet, csv, jsonl',
  );
  await expect(tables.load([], outputOf({ types: { id: 'text', ID: 'text' } }))).rejects.toThrow(
    'would have two columns ID',
  );
  await tables.server.put('crm/people/_manifest.json', '{"other": true}');
  await expect(tables.load([], outputOf())).rejects.toThrow('was not written by this version of Tidemark');
  await tables.server.remove('crm/people/_manifest.json');
  await tables.load([['1', 'a']], outputOf());
  const origin = (await tables.session.bulkSource?.table('crm.people', undefined))?.origin;
  await expect(tables.load([], outputOf({ origin }))).rejects.toThrow('is the source table itself');
});
