import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTo, survivalTimeout, survives } from '../../test/support/bulk-survival.ts';
import { type BulkHarness, bulkHarness } from '../../test/support/bulk-syncs.ts';
import { testDatabase } from '../../test/support/database.ts';
import { describeMariadb, mariadbDatabase } from '../../test/support/mariadb.ts';

const rows = 30_000;
const columns =
  'id bigint primary key, payload varchar(100) not null, amount decimal(20,4), at timestamp(6) null';
const filled = {
  pg: `insert into big select i * 3, repeat(md5(i::text), 3), i / 8.0, timestamp '2024-01-01' + i * interval '1 second 1 us'
    from generate_series(1, ${rows}) i`,
  mariadb: `insert into big select seq * 3, repeat(md5(seq), 3), seq / 8.0, '2024-01-01' + interval seq * 1000001 microsecond
    from seq_1_to_${rows}`,
};
// Everywhere in it.
const changed = `update big set payload = 'changed' where id % 11 = 0; delete from big where id % 13 = 0;
  insert into big select id + 1, 'new', 1, null from big where id % 7 = 0`;
const texts = {
  pg: (table: string) =>
    `select id::text as id, payload, amount::text as amount, to_char(at, 'YYYY-MM-DD HH24:MI:SS.US') as at from ${table} order by big.id`,
  mariadb: (table: string) =>
    `select cast(id as char) as id, payload, cast(amount as char) as amount, cast(at as char) as at from ${table} order by big.id`,
};

describeMariadb('bulk syncs with MariaDB whose workers are killed at any moment', () => {
  let harness: BulkHarness;
  beforeAll(async () => {
    harness = await bulkHarness();
  });
  afterAll(() => harness[Symbol.asyncDispose]());

  type Query = (sql: string) => Promise<object[]>;
  const step = async (query: Query, kind: 'pg' | 'mariadb', round: number) => {
    await query(round === 0 ? `create table big (${columns}); ${filled[kind]}` : changed);
    await query(kind === 'pg' ? 'analyze big' : 'analyze table big');
    return (await query('select id from big')).length;
  };

  test(
    'into it: no row is missing or there twice, no table or note is left over',
    async () => {
      const [source, destination] = [await testDatabase(), await mariadbDatabase()];
      await destination.query(`set time_zone = '+00:00'`);
      await survives(harness, {
        from: await harness.connect(source),
        to: await connectTo(harness, 'mysql', destination.configuration),
        configuration: { schema: destination.name },
        change: (round) => step(source.query, 'pg', round),
        seen: () =>
          destination
            .query(`select 1 from _tidemark_state where entry like 'range %'`)
            .then((found) => found.length)
            .catch(() => 0),
        async check() {
          expect(await destination.query(texts.mariadb('big'))).toEqual(await source.query(texts.pg('big')));
          const tables = await destination.query<{ name: string }>(
            'select table_name as name from information_schema.tables where table_schema = database() order by binary table_name',
          );
          expect(tables).toEqual([{ name: '_tidemark_state' }, { name: 'big' }]);
          const notes = `select cast(entry as char) as entry from _tidemark_state where token not like '00000000%' order by binary entry`;
          expect(await destination.query(notes)).toEqual([{ entry: 'columns' }, { entry: 'position' }]);
        },
      });
    },
    survivalTimeout,
  );

  test(
    'from it: no row is missing or there twice',
    async () => {
      const [source, destination] = [await mariadbDatabase(), await testDatabase()];
      await source.query(`set time_zone = '+00:00'`);
      await survives(harness, {
        from: await connectTo(harness, 'mysql', source.configuration),
        to: await harness.connect(destination),
        configuration: { schema: 'copy' },
        change: (round) => step(source.query, 'mariadb', round),
        seen: () =>
          destination
            .query(`select 1 from copy._tidemark_state where entry like 'range%'`)
            .then((found) => found.length)
            .catch(() => 0),
        async check() {
          expect(await destination.query(texts.pg('copy.big'))).toEqual(
            await source.query(texts.mariadb('big')),
          );
          const tables = await destination.query<{ name: string }>(
            `select relname as name from pg_class where relnamespace = 'copy'::regnamespace and relkind = 'r' order by 1`,
          );
          expect(tables).toEqual([{ name: '_tidemark_state' }, { name: 'big' }]);
        },
      });
    },
    survivalTimeout,
  );
});
