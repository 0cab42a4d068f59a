import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { awkward } from '../../../test/support/awkward.ts';
import { copyTable } from '../../../test/support/copy-table.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { postgresqlConfiguration } from '../../../test/support/http.ts';
import { startS3, type TestS3 } from '../../../test/support/s3.ts';
import { createEgress, type Egress } from '../../egress/index.ts';
import { type ConnectorHarness, describeConnector, records } from '../conformance.ts';
import { postgresql } from '../postgresql/index.ts';
import { s3 } from './index.ts';

async function harness(): Promise<ConnectorHarness> {
  const server = await startS3();
  const names = new Map<string, string>(records.map(({ id, name }) => [id, name]));
  const quoted = (text: string | null) => (text === null ? '' : `"${text.replaceAll('"', '""')}"`);
  const put = async () => {
    const rows = records.map(({ id, note }) => `${id},${quoted(names.get(id) ?? null)},${quoted(note)}\n`);
    await server.put('crm/people.csv', `id,name,note\n${rows.join('')}`);
  };
  await put();
  return {
    configuration: { ...server.configuration },
    broken: { ...server.configuration, s3_bucket_name: 'no-such-bucket' },
    source: {
      schemaId: 'crm.people',
      keyless: true,
      model: { model_from: 'single_file', key: 'crm/people.csv' },
      async rename(id, name) {
        names.set(id, name);
        await put();
      },
    },
    destination: {
      object: 'files',
      configuration: { name: 'out/people', format: 'jsonl' },
      identity: 'record',
      wholeRecords: true,
      fields: { name: 'record', note: 'record' },
      async contents() {
        const rows = await rowsOf(server, 'out/people/');
        return new Map(rows.map(({ id, name, note }) => [String(id), { name, note } as never]));
      },
      async clear() {
        for (const key of await server.keys('out/')) await server.remove(key);
      },
    },
    close: () => server.close(),
  };
}

/** What the files have that the manifest names; all of it JSON lines. */
async function rowsOf(from: TestS3, folder: string): Promise<Record<string, unknown>[]> {
  if (!(await from.keys(folder)).includes(`${folder}_manifest.json`)) return [];
  const { files } = JSON.parse(`${await from.get(`${folder}_manifest.json`)}`);
  const texts = await Promise.all(
    files.map(async ({ path }: { path: string }) => `${await from.get(`${folder}${path}`)}`),
  );
  return texts
    .join('')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

describeConnector(s3, { source: true, modes: ['append', 'replace'], transactional: false }, harness);

let server: TestS3;
let egress: Egress;

beforeAll(async () => {
  server = await startS3();
  egress = createEgress({ allow: ['127.0.0.0/8'] });
});
afterAll(async () => {
  await egress.close();
  await server.close();
});
beforeEach(async () => {
  server.behave(() => undefined);
  for (const key of await server.keys()) await server.remove(key);
});

const open = () => s3.open({ ...server.configuration }, { egress });
const openDatabase = (database: TestDatabase) =>
  postgresql.open({ ...postgresqlConfiguration(database.url), client_certs: false }, { egress });

/** Columns whose values are not the same in both tables. */
async function changed(before: TestDatabase, after: TestDatabase): Promise<string[]> {
  const columns = await before.query<{ name: string }>(
    `select attname as name from pg_attribute where attrelid = 'awkward'::regclass and attnum > 0`,
  );
  const different: string[] = [];
  for (const { name } of columns) {
    const hash = (table: string) =>
      `select string_agg(coalesce("${name}"::text, '∅'), '|' order by id) as all from ${table}`;
    const [one] = await before.query(hash('awkward'));
    const [other] = await after.query(hash('copy.awkward'));
    if (one?.all !== other?.all) different.push(name);
  }
  return different;
}

test.each(['parquet', 'csv', 'jsonl'])(
  'every value goes through %s and comes back, or is counted',
  async (format) => {
    const [before, after] = [await testDatabase(), await testDatabase()];
    await before.query(awkward);
    const [from, lake, to] = [openDatabase(before), open(), openDatabase(after)];
    const written = await copyTable(from, lake, 'public.awkward', { output: { options: { format } } });
    const read = await copyTable(lake, to, 'copy.awkward');
    expect([written.rows, read.rows, read.warnings]).toEqual([3, 3, []]);
    const counted = written.warnings.map(({ column, rule, count }) => `${column} ${rule} ${count}`);
    const expected: Record<string, string[]> = {
      parquet: ['ts out_of_range_nulled 1', 'ai array_bounds_dropped 1', 'an array_nulled 2'],
      csv: [],
      jsonl: ['jb json_null_nulled 1'],
    };
    expect(counted).toEqual(expected[format]);
    const columns = new Set(written.warnings.map(({ column }) => column));
    expect((await changed(before, after)).sort()).toEqual([...columns].sort());
    const types = (database: TestDatabase, table: string) =>
      database.query(
        `select attname, format_type(atttypid, atttypmod) from pg_attribute where attrelid = '${table}'::regclass
       and attnum > 0 and attname <> all('{mo,mos,po,sc,pa,pas,rc,_tidemark_synced_at}') order by attnum`,
      );
    expect(await types(after, 'copy.awkward')).toEqual(await types(before, 'awkward'));
    await Promise.all([from.close(), lake.close(), to.close()]);
  },
);
