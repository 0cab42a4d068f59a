import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTo } from '../../test/support/bulk-survival.ts';
import { type BulkHarness, bulkHarness } from '../../test/support/bulk-syncs.ts';
import { contentHash } from '../../test/support/content-hash.ts';
import { testDatabase } from '../../test/support/database.ts';
import { describeMariadb, type MariadbDatabase, mariadbDatabase } from '../../test/support/mariadb.ts';
import { type MariadbServer, startMariadb } from '../../test/support/mariadb-server.ts';
import { restartablePostgres } from '../../test/support/restartable-postgres.ts';
import { until } from '../../test/support/until.ts';
import { createBulkSync } from './crud.ts';
import { startBulkSync } from './start.ts';

let harness: BulkHarness;
beforeAll(async () => {
  harness = await bulkHarness();
});
afterAll(() => harness[Symbol.asyncDispose]());

const rows = 200_000;
const columns = 'id bigint primary key, payload varchar(100) not null, amount decimal(20,4)';
const filled = `create table big (${columns});
  insert into big select i * 3, repeat(md5(i::text), 3), i / 8.0 from generate_series(1, ${rows}) i; analyze big`;
const filledMariadb = `create table big (${columns});
  insert into big select seq * 3, repeat(md5(seq), 3), seq / 8.0 from seq_1_to_${rows}; analyze table big`;
const texts = (table: string) =>
  `select concat(id, ' ', payload, ' ', amount) as row from ${table} order by id`;

type Restart = () => Promise<void>;

/**
 * Runs one execution while servers are restarted, one after the other, each time once more has been stored.
 *
 * @param stored ranges, as the destination has them.
 */
async function runThrough(
  ends: { from: string; to: string; schema: string },
  stored: () => Promise<number>,
  restarts: Restart[],
): Promise<void> {
  const { organizationId, actor } = harness;
  const body = {
    name: crypto.randomUUID(),
    source_connection_id: ends.from,
    destination_connection_id: ends.to,
    destination_configuration: { schema: ends.schema },
    disable_record_timestamps: true,
  };
  const sync = await createBulkSync(harness, organizationId, actor, body, 'either');
  const { id } = await startBulkSync(harness, organizationId, sync.id, {});
  const { outcome } = harness.begin(id);
  // A server that is away has stored nothing that could be seen.
  const seen = () => stored().catch(() => 0);
  const lost = async () =>
    (await harness.console(id)).entries.filter(({ message }) => message.startsWith('Lost')).length;
  for (const restart of restarts) {
    const [before, told] = [await seen(), await lost()];
    await until(async () => (await seen()) > before);
    await restart();
    // What was there is there still: the execution goes on with it.
    expect(await stored()).toBeGreaterThan(before);
    await until(async () => (await lost()) > told);
  }
  expect(await outcome).toEqual({ status: 'completed' });
  expect(await harness.schemas(id)).toMatchObject([{ status: 'completed', record_count: rows }]);
  expect(await seen()).toBe(0);
}

test('PostgreSQL at both ends, each stopped and killed in the middle of a table: the execution goes on and completes', async () => {
  await using source = await restartablePostgres();
  await using destination = await restartablePostgres();
  await source.database.query(filled);
  const ends = {
    from: await harness.connect(source.database),
    to: await harness.connect(destination.database),
    schema: 'copy',
  };
  const { query } = destination.database;
  const stored = async () => {
    const ranges = await query(`select 1 from copy._tidemark_state where entry like 'range%'`);
    // A range's commit does not wait for the disk.
    const [now] = await query<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn');
    await until(async () => {
      const [flushed] = await query('select where pg_current_wal_flush_lsn() >= $1::pg_lsn', [now?.lsn]);
      return flushed;
    });
    return ranges.length;
  };
  await runThrough(ends, stored, [
    () => source.restart('kill'),
    () => destination.restart('kill'),
    () => source.restart('stop'),
    () => destination.restart('stop'),
  ]);
  expect(await contentHash(destination.database, 'copy.big')).toEqual(
    await contentHash(source.database, 'big'),
  );
});

describeMariadb('a MariaDB that is stopped and killed in the middle of a table', () => {
  let server: MariadbServer;
  beforeAll(async () => {
    // What is committed has to survive the server's process.
    server = await startMariadb({ 'innodb-flush-log-at-trx-commit': '2' });
  });
  afterAll(() => server.stop());
  const restarts = [() => server.restart('SIGKILL'), () => server.restart('SIGTERM')];

  const connect = ({ configuration }: MariadbDatabase) => connectTo(harness, 'mysql', configuration);

  test('as the source: the execution goes on and completes', async () => {
    const [source, destination] = [await mariadbDatabase(server.port), await testDatabase()];
    await source.query(filledMariadb);
    const ends = { from: await connect(source), to: await harness.connect(destination), schema: 'copy' };
    const stored = () =>
      destination
        .query(`select 1 from copy._tidemark_state where entry like 'range%'`)
        .then(({ length }) => length);
    await runThrough(ends, stored, restarts);
    expect(await destination.query(texts('copy.big'))).toEqual(await source.query(texts('big')));
  });

  test('as the destination: the execution goes on and completes', async () => {
    const [source, destination] = [await testDatabase(), await mariadbDatabase(server.port)];
    await source.query(filled);
    const ends = {
      from: await harness.connect(source),
      to: await connect(destination),
      schema: destination.name,
    };
    const stored = () =>
      destination
        .query(`select 1 from _tidemark_state where entry like 'range %'`)
        .then(({ length }) => length);
    await runThrough(ends, stored, restarts);
    expect(await destination.query(texts('big'))).toEqual(await source.query(texts('big')));
  });

  test('as a destination that takes no writes, like a replica: it is waited for', async () => {
    const [source, destination] = [await testDatabase(), await mariadbDatabase(server.port)];
    await source.query('create table u (id int primary key); insert into u values (1)');
    await destination.query(`create user if not exists plain@'%' identified by 'secret';
      grant select, insert, update, delete, create, drop, alter, index on *.* to plain@'%'; set global read_only = 1`);
    const { organizationId, actor } = harness;
    const body = {
      name: crypto.randomUUID(),
      source_connection_id: await harness.connect(source),
      destination_connection_id: await connectTo(harness, 'mysql', {
        ...destination.configuration,
        account: 'plain',
        passwd: 'secret',
      }),
      destination_configuration: { schema: destination.name },
    };
    const sync = await createBulkSync(harness, organizationId, actor, body, 'either');
    const { id } = await startBulkSync(harness, organizationId, sync.id, {});
    const { outcome } = harness.begin(id);
    await until(async () =>
      (await harness.console(id)).entries.some(({ message }) => /^Lost .*--read-only/.test(message)),
    );
    await destination.query('set global read_only = 0');
    expect(await outcome).toEqual({ status: 'completed' });
    expect(await destination.query('select id from u')).toEqual([{ id: 1 }]);
  });
});
