import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { awkward } from '../../../test/support/awkward.ts';
import { connectTo, replicate } from '../../../test/support/bulk-pair.ts';
import { contentHash } from '../../../test/support/content-hash.ts';
import { databaseAt, type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { loopback } from '../../../test/support/egress.ts';
import { postgresqlConfiguration } from '../../../test/support/http.ts';
import { describePgbouncer, startPgbouncer } from '../../../test/support/pgbouncer.ts';
import type { ModelSyncMode, TargetDefinition, WireFormat } from '../contract.ts';
import { bulkDestination } from './bulk-destination.ts';
import { bulkSource } from './bulk-source.ts';
import { postgresql } from './index.ts';

/** What a database or role may set, other than a server has it, that changes values, rows or how long one may take. */
const odd: Record<string, string> = {
  bytea_output: 'escape',
  extra_float_digits: '-15',
  datestyle: 'German, DMY',
  intervalstyle: 'sql_standard',
  timezone: 'Asia/Kolkata',
  client_encoding: 'LATIN1',
  standard_conforming_strings: 'off',
  xmloption: 'document',
  xmlbinary: 'hex',
  array_nulls: 'off',
  quote_all_identifiers: 'on',
  transform_null_equals: 'on',
  gin_fuzzy_search_limit: '1',
  row_security: 'off',
  default_transaction_isolation: 'serializable',
  default_transaction_read_only: 'on',
  default_transaction_deferrable: 'on',
  statement_timeout: '1s',
  lock_timeout: '1s',
  idle_in_transaction_session_timeout: '1s',
  exit_on_error: 'on',
  client_min_messages: 'debug1',
  backslash_quote: 'on',
  escape_string_warning: 'off',
  search_path: 'odd, pg_catalog',
};

/** What the odd search path finds before the system's own. */
const shadows = `create schema odd;
  create function odd.format_type(oid, int) returns text language sql as $$select 'text); drop table x; --'$$;
  create domain odd.text as varchar(3)`;

async function setOdd(database: TestDatabase, scope: string): Promise<void> {
  await database.query(shadows);
  const [{ name } = { name: '' }] = await database.query<{ name: string }>(
    'select current_database() as name',
  );
  const target = scope === 'role' ? `role current_user in database "${name}"` : `database "${name}"`;
  const statements = Object.entries(odd).map(
    ([setting, value]) =>
      `alter ${target} set ${setting} = ${setting === 'search_path' ? value : pg.escapeLiteral(value)}`,
  );
  await database.query(statements.join('; '));
}

async function bytes(database: TestDatabase, format: WireFormat): Promise<string> {
  const from = bulkSource(connectTo(database));
  const table = await from.table('public.awkward', undefined);
  return Buffer.concat(await Array.fromAsync(await from.read(table, format, {}))).toString('latin1');
}

/** Rows of a model, as text. */
async function modelRows(configuration: object): Promise<unknown> {
  const session = postgresql.open({ ...configuration, client_certs: false }, { egress: loopback });
  const source = session.modelSource;
  const model = { table: 'public.awkward' };
  const fields = (await source?.fields(model))?.map(({ name }) => name) ?? [];
  const rows = source?.records({ configuration: model, fields, identity: 'id' });
  const records = (await Array.fromAsync(rows ?? [])).flat();
  await session.close();
  return { fields, records };
}

test.each(['database', 'role'])('whatever a %s sets, the same bytes are read and written', async (scope) => {
  const [plain, source] = [await testDatabase(), await testDatabase()];
  for (const database of [plain, source]) await database.query(awkward);
  await setOdd(source, scope);
  for (const format of ['pg-binary', 'copy-text'] as const) {
    expect(await bytes(source, format)).toBe(await bytes(plain, format));
  }
  expect(await modelRows(postgresqlConfiguration(source.url))).toEqual(
    await modelRows(postgresqlConfiguration(plain.url)),
  );

  const destination = await testDatabase();
  await setOdd(destination, scope);
  const both = { from: bulkSource(connectTo(source)), to: bulkDestination(connectTo(destination)) };
  for (const format of ['pg-binary', 'copy-text'] as const) {
    expect(await replicate(both, 'public.awkward', { format })).toMatchObject({ rows: 3 });
    // A pool of its own: its sessions have the database's settings as they are now.
    await destination.query(
      `set default_transaction_read_only = off; alter database "${new URL(destination.url).pathname.slice(1)}" reset all;
       alter role current_user in database "${new URL(destination.url).pathname.slice(1)}" reset all`,
    );
    await using clean = databaseAt(destination.url);
    expect(await contentHash(clean, 'copy.awkward')).toEqual(await contentHash(plain, 'awkward'));
    await clean.query('drop schema odd cascade');
    await setOdd(clean, scope);
  }
});

const definition: TargetDefinition = {
  sync: { id: 'a', name: 'a' },
  object: 'public.people',
  configuration: {},
  mode: 'updateOrCreate',
  identity: 'id',
  fields: ['at', 'raw'].map((target) => ({
    source: { name: target, type: 'string', remoteType: 'text', nullable: true },
    target,
    createOnly: false,
  })),
};

describePgbouncer('through pgbouncer', () => {
  test.each(['session', 'transaction'] as const)(
    'everything works in %s mode, and nothing leaks',
    async (mode) => {
      // Few in transaction mode, so that everybody uses the same ones.
      const port = await startPgbouncer(mode, mode === 'session' ? 20 : 3);
      const [source, destination] = [await testDatabase(), await testDatabase()];
      await source.query(`${awkward};
      create table big as select i as id, 'row ' || i as name from generate_series(1, 20000) i;
      alter table big add primary key (id); analyze big`);
      const plain = await bytes(source, 'copy-text');
      await setOdd(source, 'database');
      const pooled = (database: TestDatabase): TestDatabase => {
        const url = new URL(database.url);
        url.port = String(port);
        return { ...database, url: url.href };
      };
      // Somebody else's, in the same pool: the sessions that we have used are used by it.
      const others = Array.from({ length: 3 }, () => new pg.Client(pooled(destination).url));
      for (const other of others) await other.connect();
      onTestFinished(async () => void (await Promise.all(others.map((other) => other.end()))));
      const seen = async () => {
        if (mode === 'session') return [];
        const asked = others.map((other) =>
          other.query(
            `begin; select name, setting from pg_settings where name <> 'application_name'
             and (source in ('session', 'client') or name in ('search_path', 'row_security', 'datestyle', 'timezone'));
           select pg_sleep(0.01); select * from pg_locks where locktype = 'advisory'; commit`,
          ),
        );
        return (await Promise.all(asked)).map((results) => (results as unknown as pg.QueryResult[])[1]?.rows);
      };
      if (mode === 'session') for (const other of others) await other.end();
      const before = await seen();

      const both = {
        from: bulkSource(connectTo(pooled(source))),
        to: bulkDestination(connectTo(pooled(destination))),
      };
      expect(await bytes(pooled(source), 'copy-text')).toBe(plain);
      for (const format of ['pg-binary', 'copy-text'] as const) {
        expect(await replicate(both, 'public.awkward', { format })).toMatchObject({ rows: 3 });
        expect(await contentHash(destination, 'copy.awkward')).toMatchObject({ rows: 3 });
      }
      expect(await replicate(both, 'public.big', { plan: { mode: 'merge' } })).toMatchObject({
        rows: 20_000,
      });
      expect(
        await replicate(both, 'public.big', { plan: { mode: 'merge', missing: 'remove' } }),
      ).toMatchObject({
        inserted: 0,
        updated: 0,
        deleted: 0,
      });

      await destination.query(`create table people (id int primary key, at timestamptz, raw bytea)`);
      const session = postgresql.open(
        { ...postgresqlConfiguration(pooled(destination).url), client_certs: false },
        { egress: loopback },
      );
      const record = (id: number, raw: string) => ({
        key: String(id),
        hash: '1',
        values: ['2024-01-02 03:04:05+00', raw],
      });
      for (const modelMode of ['updateOrCreate', 'update', 'remove'] satisfies ModelSyncMode[]) {
        const writer = await session.modelDestination?.writer({ ...definition, mode: modelMode });
        for (const raw of ['\\x01', '\\x02']) {
          await writer?.write([record(1, raw), record(2, raw)], async () => {});
        }
      }
      const replacement = await session.modelDestination?.replacement?.({ ...definition, mode: 'replace' });
      await replacement?.add([record(1, '\\x03')]);
      await expect(replacement?.add([record(1, '\\x05')])).rejects.toMatchObject({ name: 'BatchRefused' });
      await replacement?.add([record(2, '\\x04')]);
      await replacement?.replace(
        (async function* () {})(),
        async () => {},
        async () => {},
      );
      expect(await destination.query('select id, at::text, raw::text from people order by id')).toEqual([
        { id: 1, at: '2024-01-02 03:04:05+00', raw: '\\x03' },
        { id: 2, at: '2024-01-02 03:04:05+00', raw: '\\x04' },
      ]);
      await session.close();
      expect(await seen()).toEqual(before);
    },
  );

  test('a table is loaded in ranges in transaction mode', async () => {
    const port = await startPgbouncer('transaction', 8);
    const [source, destination] = [await testDatabase(), await testDatabase()];
    await source.query(`create table big as select i as id, repeat('row ' || i, 9) as name from generate_series(1, 50000) i;
      alter table big add primary key (id); analyze big`);
    const at = (database: TestDatabase) =>
      connectTo({ ...database, url: Object.assign(new URL(database.url), { port: String(port) }).href });
    const [from, to] = [bulkSource(at(source)), bulkDestination(at(destination))];
    const table = await from.table('public.big', undefined);
    const ranges = (await from.ranges?.(table, 10_000)) ?? [];
    expect(ranges.length).toBeGreaterThan(2);
    const output = {
      origin: table.origin,
      schema: 'copy',
      name: 'big',
      columns: table.columns,
      primaryKey: ['id'],
    };
    const load = await to.load(output, {
      executionId: crypto.randomUUID(),
      mode: 'replace',
      truncate: false,
      ranged: true,
    });
    await Promise.all(
      ranges.map(async (range) =>
        load.write(await from.read(table, 'pg-binary', { range }), 'pg-binary', range),
      ),
    );
    await load.commit({});
    expect(await contentHash(destination, 'copy.big')).toEqual(await contentHash(source, 'big'));
  });
});
