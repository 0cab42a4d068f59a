import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { queryDuckDB } from '../../test/support/duckdb.ts';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import { startS3, type TestS3 } from '../../test/support/s3.ts';
import { s3 } from '../connectors/s3/index.ts';
import type { Run } from '../executions/index.ts';
import type { JsonObject } from '../lib/json.ts';

let world: ModelSyncs;
let server: TestS3;
let lake: string;

beforeAll(async () => {
  [world, server] = await Promise.all([startModelSyncs(), startS3()]);
  lake = await world.connect('s3', server.configuration);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await server.close();
});
beforeEach(async () => {
  for (const key of await server.keys()) await server.remove(key);
  await world.source.query(`drop table if exists people; create table people (id int primary key, name text, born date);
    insert into people select n, case when n % 10 = 0 then null else 'ä,"' || n end, date '2000-01-01' + n from generate_series(1, 5000) n`);
});

const syncTo = async (
  mode: 'append' | 'replace' | 'snapshot',
  configuration: JsonObject,
  identity = true,
) => {
  const model = await world.createModel({ table: 'public.people' }, 'id');
  return world.createSync({
    model,
    mode,
    connectionId: lake,
    object: 'files',
    configuration,
    ...(mode === 'append' ? {} : { max_deletes: '100%' }),
    ...(identity ? { identity: ['id', 'record'] } : {}),
    fields: ['id', 'name', 'born'].map((name): [string, string] => [name, 'record']),
  });
};

interface Manifest {
  rows: number;
  columns: { name: string; type: string }[];
  files: { path: string; rows: number }[];
}

const manifest = async (folder: string): Promise<Manifest> =>
  JSON.parse(`${await server.get(`${folder}_manifest.json`)}`);

/** What DuckDB reads of the files that the manifest names. Nothing else is below the folder. */
async function contents(folder: string): Promise<object[]> {
  const { files } = await manifest(folder);
  const keys = files.map((file) => `${folder}${file.path}`);
  expect(await server.keys(folder)).toEqual([`${folder}_manifest.json`, ...keys].sort());
  const local = await mkdtemp(path.join(os.tmpdir(), 'tidemark-test-'));
  try {
    const names = await Promise.all(
      keys.map(async (key, index) => {
        const name = path.join(local, `${index}${path.extname(key)}`);
        await writeFile(name, await server.get(key));
        return name;
      }),
    );
    const lists = names.map(
      (name) => `select id::int as id, name, born::varchar as born from ${reads(name)}`,
    );
    return await queryDuckDB(':memory:', `${lists.join(' union all ')} order by 1`);
  } finally {
    await rm(local, { recursive: true });
  }
}

function reads(file: string): string {
  if (file.endsWith('.csv')) return `read_csv('${file}', header = true, all_varchar = true)`;
  if (file.endsWith('.parquet')) return `'${file}'`;
  return `read_json('${file}', format = 'newline_delimited', columns = {id: 'INT', name: 'VARCHAR', born: 'VARCHAR'})`;
}

const expected = () => world.source.query('select id, name, born::text as born from people order by id');

/** As a worker that dies after the manifest names a batch and before that counts here. */
const dieAtReport = (run: Run): Run => ({
  ...run,
  async commit(progress, work) {
    if ((progress.counts?.insert ?? 0) > 0) throw new Error('killed');
    await run.commit(progress, work);
  },
});

test.each(['csv', 'jsonl', 'parquet'])(
  'append to %s: what is new is added, once, also when a worker dies on the way',
  async (format) => {
    const sync = await syncTo('append', { name: 'exports/people', format });
    const id = await world.start(sync);
    expect((await world.run(sync, id, dieAtReport)).outcome).toMatchObject({ status: 'interrupted' });
    const taken = await world.run(sync, id);
    expect(taken.outcome).toEqual({ status: 'completed' });
    expect(taken.counts).toMatchObject({ total: 5000, insert: 5000 });
    expect(await contents('exports/people/')).toEqual(await expected());
    expect((await world.execute(sync)).counts).toMatchObject({ total: 0 });
    await world.source.query(`insert into people values (9001, 'new', null)`);
    expect((await world.execute(sync)).counts).toMatchObject({ insert: 1 });
    expect(await contents('exports/people/')).toEqual(await expected());
    expect((await manifest('exports/people/')).columns).toEqual([
      { name: 'id', type: 'integer' },
      { name: 'name', type: 'text' },
      { name: 'born', type: 'date' },
    ]);
  },
);

test('files of another name get every record; in another format what is new is added to those that are there', async () => {
  const model = await world.createModel({ table: 'public.people' }, 'id');
  const settings = {
    model,
    mode: 'append' as const,
    connectionId: lake,
    object: 'files',
    fields: ['id', 'name', 'born'].map((name): [string, string] => [name, 'record']),
  };
  const sync = await world.createSync({ ...settings, configuration: { name: 'old' } });
  await world.execute(sync);
  await world.updateSync(sync.id, { ...settings, configuration: { name: 'new' } });
  expect((await world.execute(sync)).counts).toMatchObject({ total: 5000, insert: 5000 });
  await world.source.query(`insert into people values (9001, 'last', null)`);
  await world.updateSync(sync.id, { ...settings, configuration: { name: 'new', format: 'parquet' } });
  expect((await world.execute(sync)).counts).toMatchObject({ total: 1, insert: 1 });
  expect(await contents('new/')).toEqual(await expected());
});

test.each([
  ['replace', 'parquet'],
  ['snapshot', 'csv'],
] as const)(
  '%s in %s: afterwards the files are the model, and every change is told',
  async (mode, format) => {
    const sync = await syncTo(mode, { name: 'people', format });
    expect((await world.execute(sync)).counts).toMatchObject({ insert: 5000 });
    expect(await contents('people/')).toEqual(await expected());
    await world.source.query(`update people set name = 'other' where id in (3, 5);
    delete from people where id = 7; insert into people values (9001, null, '2024-02-29')`);
    const id = await world.start(sync);
    expect((await world.run(sync, id, dieAtReport)).outcome).toMatchObject({ status: 'interrupted' });
    const second = await world.run(sync, id);
    expect(second.counts).toMatchObject({ insert: 1, update: 2, delete: 1 });
    expect(await contents('people/')).toEqual(await expected());
    expect(await world.log(id, 'deletes')).toEqual([expect.objectContaining({ id: 7, name: 'ä,"7' })]);
  },
);

test('a value that a format cannot hold is an error of its record; what is there of it stays', async () => {
  await world.source.query('alter table people alter born type timestamp');
  const sync = await syncTo('replace', { name: 'people', format: 'parquet' });
  await world.execute(sync);
  await world.source.query(
    `update people set born = '294270-01-01' where id = 42; delete from people where id > 100`,
  );
  const { id, counts } = await world.execute(sync);
  expect(counts).toMatchObject({ error: 1, delete: 4900 });
  expect(await world.log(id, 'errors')).toEqual([
    expect.objectContaining({
      reason: expect.stringContaining('born: parquet cannot hold the value as it is'),
    }),
  ]);
  const there = await contents('people/');
  expect(there).toHaveLength(100);
  expect(there).toContainEqual({ id: 42, name: 'ä,"42', born: '2000-02-12 00:00:00' });
});

test('replace: a row whose record is in error stays, also where truth identifies it', async () => {
  await world.source.query(`drop table if exists answers; create table answers (agreed boolean, votes int);
    insert into answers values (true, 1), (false, 2)`);
  const sync = await world.createSync({
    model: await world.createModel({ table: 'public.answers' }, 'agreed'),
    mode: 'replace',
    connectionId: lake,
    object: 'files',
    configuration: { name: 'answers', format: 'csv' },
    identity: ['agreed', 'record'],
    fields: [['votes', 'record']],
  });
  expect((await world.execute(sync)).counts).toMatchObject({ insert: 2 });
  await world.source.query('insert into answers values (true, 3)');
  const { counts } = await world.execute(sync);
  expect(counts).toMatchObject({ error: 2 });
  expect(counts).not.toHaveProperty('delete');
  expect((await manifest('answers/')).rows).toBe(2);
});

test('without an identity the files are what the records hold', async () => {
  const sync = await syncTo('replace', { name: 'people' }, false);
  await world.execute(sync);
  await world.source.query(`update people set name = 'other' where id = 3`);
  expect((await world.execute(sync)).counts).toMatchObject({ insert: 1, delete: 1 });
  expect(await contents('people/')).toEqual(await expected());
});

test('a batch of which is said that it was not committed never is, however late its worker comes', async () => {
  const open = () => s3.open({ ...server.configuration }, world).modelDestination;
  const field = { name: 'id', type: 'string' as const, remoteType: 'text', nullable: true };
  const definition = {
    sync: { id: crypto.randomUUID(), name: 'late' },
    object: 'files',
    configuration: { name: 'late', format: 'jsonl' },
    mode: 'append' as const,
    fields: [{ source: field, target: 'record', createOnly: false }],
  };
  for (const [round, ids] of [[], ['1']].entries()) {
    const writer = await open()?.writer(definition);
    const late = writer?.write([{ key: 'x', hash: '1', values: ['x'] }], async (token) => {
      const other = await open()?.writer(definition);
      expect(await other?.outcome?.(token)).toBe('aborted');
      await other?.write([{ key: '1', hash: '1', values: [String(round + 1)] }], async () => {});
    });
    await expect(late).rejects.toThrow('Another execution has loaded');
    const { files, rows } = await manifest('late/');
    expect(rows).toBe(ids.length + 1);
    const texts = await Promise.all(files.map(async (file) => `${await server.get(`late/${file.path}`)}`));
    expect(texts).toEqual([...ids, String(round + 1)].map((one) => `{"id":"${one}"}\n`));
  }
});

test('of two syncs that begin in one place at the same moment one has it, whole', async () => {
  const field = { name: 'id', type: 'string' as const, remoteType: 'text', nullable: true };
  const open = (name: string) =>
    s3.open({ ...server.configuration }, world).modelDestination?.writer({
      sync: { id: crypto.randomUUID(), name },
      object: 'files',
      configuration: { name: 'both', format: 'jsonl' },
      mode: 'append',
      fields: [{ source: field, target: 'record', createOnly: false }],
    });
  const [first, second] = [await open('first'), await open('second')];
  const record = (key: string) => [{ key, hash: '1', values: [key] }];
  await first?.write(record('1'), async () => {
    const killed = second?.write(record('2'), () => Promise.reject(new Error('killed')));
    await expect(killed).rejects.toThrow('killed');
  });
  const { files } = await manifest('both/');
  const texts = await Promise.all(files.map(async (file) => `${await server.get(`both/${file.path}`)}`));
  expect(texts).toEqual(['{"id":"1"}\n']);
});

test('what cannot work is refused when the sync is saved, or names what is in the way', async () => {
  await expect(syncTo('append', {})).rejects.toThrow('takes the name of the files');
  await expect(syncTo('append', { name: 'a', format: 'xml' })).rejects.toThrow('takes parquet, csv, jsonl');
  await expect(syncTo('append', { name: '../a//b' })).rejects.toThrow('takes the name of the files');
  await world.execute(await syncTo('append', { name: 'people' }));
  const second = await world.execute(await syncTo('append', { name: 'people' }));
  expect(second.outcome).toMatchObject({
    status: 'failed',
    errors: [expect.stringContaining('was written by another model sync')],
  });
  const { bulkDestination } = s3.open({ ...server.configuration }, world);
  const column = { name: 'id', outputName: 'id', type: 'text', nullable: true };
  const output = { origin: undefined, schema: '', name: 'people', columns: [column], primaryKey: [] };
  const plan = { executionId: crypto.randomUUID(), mode: 'replace', truncate: false, ranged: false } as const;
  await expect(bulkDestination?.load(output, plan)).rejects.toThrow('was written by a model sync');
});

test('files that no sync has written stay, whatever they are called', async () => {
  for (const mode of ['append', 'replace'] as const) {
    const folder = `${mode}/people/`;
    const strange = [
      ...['mine.csv', 'data/mine.csv', '_lists/mine.json', 'data/0/mine.csv', 'README.md'],
      `data/${crypto.randomUUID()}/mine.csv`,
    ].map((name) => `${folder}${name}`);
    for (const key of strange) await server.put(key, 'mine');
    const left = `${folder}data/${mode === 'append' ? '0/' : ''}${crypto.randomUUID()}/part-0${mode === 'append' ? '' : '-0'}.csv`;
    await server.put(left, 'what a worker that was killed has left');
    const sync = await syncTo(mode, { name: `${mode}/people`, format: 'csv' });
    for (const id of [1, 2, 3]) {
      await world.source.query(`update people set name = 'new' where id = ${id}`);
      expect((await world.execute(sync)).outcome).toEqual({ status: 'completed' });
    }
    const keys = await server.keys(folder);
    expect(keys).toEqual(expect.arrayContaining(strange));
    expect(keys).not.toContain(left);
  }
});

test('a table of 400 columns, with all that COPY escapes, is replaced', async () => {
  const names = Array.from({ length: 400 }, (_, n) => `c${n}`);
  await world.source.query(`drop table if exists wide; create table wide as select n as id, ${names.map((name, n) => `E'\\t\\n\\r\\\\' || n + ${n} as ${name}`).join(', ')}
    from generate_series(1, 50) n`);
  const model = await world.createModel({ table: 'public.wide' }, 'id');
  const sync = await world.createSync({
    ...{ model, mode: 'replace', connectionId: lake, object: 'files', max_deletes: '100%' },
    ...{ configuration: { name: 'wide', format: 'parquet' }, identity: ['id', 'record'] },
    fields: names.map((name): [string, string] => [name, 'record']),
  });
  expect((await world.execute(sync)).counts).toMatchObject({ total: 50, insert: 50 });
  await world.source.query(`update wide set c399 = 'other' where id = 7; delete from wide where id = 9`);
  const { id, counts } = await world.execute(sync);
  expect(counts).toMatchObject({ total: 49, update: 1, delete: 1 });
  expect(await world.log(id, 'updates')).toMatchObject([{ c0: '\t\n\r\\7', c399: 'other' }]);
});
