import { afterAll, beforeAll, expect, test } from 'vitest';
import { outputOf, planOf } from '../../../test/support/bulk-pair.ts';
import { loopback } from '../../../test/support/egress.ts';
import {
  createMariadbDatabase,
  describeMariadb,
  type MariadbDatabase,
} from '../../../test/support/mariadb.ts';
import { type MariadbServer, startMariadb } from '../../../test/support/mariadb-server.ts';
import { type ConnectorHarness, describeConnector, records } from '../conformance.ts';
import { bulkDestination } from './bulk-destination.ts';
import { bulkSource } from './bulk-source.ts';
import { connector } from './client.ts';
import { mysql } from './index.ts';

/** What a server may be set to that changes what its sessions read and write. */
const odd: Record<string, string> = {
  sql_select_limit: '2',
  max_join_size: '1',
  sql_big_selects: '0',
  sql_safe_updates: '1',
  sql_mode: `'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH,HIGH_NOT_PRECEDENCE'`,
  time_zone: `'+05:00'`,
  autocommit: '0',
  completion_type: '2',
  tx_isolation: `'READ-UNCOMMITTED'`,
  tx_read_only: '1',
  sql_auto_is_null: '1',
  group_concat_max_len: '4',
  max_sort_length: '64',
  max_recursive_iterations: '1',
  lc_time_names: `'de_DE'`,
  default_week_format: '3',
  div_precision_increment: '0',
  unique_checks: '0',
  check_constraint_checks: '0',
  max_error_count: '0',
  sql_quote_show_create: '0',
  old_mode: `'ZERO_DATE_TIME_CAST'`,
  sql_if_exists: '1',
  innodb_strict_mode: '0',
  default_storage_engine: 'MyISAM',
  alter_algorithm: `'INSTANT'`,
  standard_compliant_cte: '0',
  default_regex_flags: `'DOTALL'`,
  system_versioning_asof: `'2001-01-01 00:00:00'`,
};

let server: MariadbServer;

/** A database of the odd server, and a session to it that has the usual settings. */
async function oddDatabase(): Promise<MariadbDatabase> {
  const database = await createMariadbDatabase(server.port);
  await database.query(
    `set names utf8mb4; set session sql_mode = 'NO_AUTO_VALUE_ON_ZERO', sql_select_limit = 18446744073709551615,
       max_join_size = 18446744073709551615, sql_big_selects = 1, sql_safe_updates = 0, autocommit = 1, completion_type = 0,
       tx_read_only = 0, tx_isolation = 'REPEATABLE-READ', div_precision_increment = 4, group_concat_max_len = 100000, time_zone = '+00:00', default_storage_engine = InnoDB,
       check_constraint_checks = 1, alter_algorithm = default, system_versioning_asof = default, sql_if_exists = 0;
     alter database ${database.name} character set utf8mb4`,
  );
  return database;
}

/** Names that break code which does not quote. */
const table = '`ta\'ble.``x"`';

async function harness(): Promise<ConnectorHarness> {
  const database = await oddDatabase();
  await database.query(`create table ${table} (id bigint primary key, name text, note text);
    create table people (person bigint primary key, name text check (name <> 'refused'), note text)`);
  for (const { id, name, note } of records) {
    await database.query(`insert into ${table} values (?, ?, ?)`, [id, name, note]);
  }
  return {
    configuration: database.configuration,
    broken: { ...database.configuration, passwd: 'wrong' },
    source: {
      schemaId: `${database.name}.ta'ble.\`x"`,
      model: { query: `select id, name, note from ${table} -- and a comment` },
      async rename(id, name) {
        await database.query(`update ${table} set name = ? where id = ?`, [name, id]);
      },
    },
    destination: {
      object: `${database.name}.people`,
      identity: 'person',
      fields: { name: 'name', note: 'note' },
      refusedName: 'refused',
      async contents() {
        const rows = await database.query<{ person: string; name: string | null; note: string | null }>(
          'select cast(person as char) as person, name, note from people order by people.person',
        );
        return new Map(rows.map(({ person, name, note }) => [person, { name, note }]));
      },
      async clear() {
        await database.query('delete from people');
      },
    },
    close: async () => database[Symbol.asyncDispose](),
  };
}

const modes = ['create', 'update', 'updateOrCreate', 'append', 'replace', 'remove'] as const;

describeMariadb('mysql, on a server with odd settings that demands primary keys', () => {
  beforeAll(async () => {
    server = await startMariadb({
      'innodb-force-primary-key': '1',
      'character-set-server': 'latin1',
      'character-set-client-handshake': '0',
    });
    const database = await createMariadbDatabase(server.port);
    const settings = Object.entries(odd).map(([name, value]) => `set global ${name} = ${value}`);
    await database.query(settings.join('; '));
    await database[Symbol.asyncDispose]();
  });
  afterAll(() => server?.stop());

  describeConnector(mysql, { source: true, modes, transactional: true }, harness);

  test('tables are copied whole, whatever the settings, and values of any length', async () => {
    const database = await oddDatabase();
    const values = `id bigint primary key, c char(8), b varbinary(20), d datetime(6), at timestamp(6) null,
      n decimal(20,10), f double, t longtext, j bigint`;
    await database.query(
      `create table keyed (${values});
       create table versioned (${values}) with system versioning;
       insert into keyed select seq, concat('a ', seq % 7, ' '), unhex(md5(seq)), '2024-02-29 23:59:59.123456',
         '2024-02-29 23:59:59.5', seq / 7, seq / 3, concat('Zoë 💥', char(92), repeat('x', seq)), seq % 5 from seq_0_to_999;
       insert into versioned select * from keyed;
       create table keyless (id bigint not null unique, t longtext, raw longblob);
       insert into keyless values (1, repeat('x', 15 * 1024 * 1024), repeat('y', 7 * 1024 * 1024)), (2, 'b', 'b');`,
    );
    const connect = connector(database.configuration, { egress: loopback });
    const [from, to] = [bulkSource(connect), bulkDestination(connect)];
    const target = `${database.name}_copy`;
    const copy = async (name: string, mode: 'replace' | 'merge') => {
      const described = await from.table(`${database.name}.${name}`, undefined);
      const output = outputOf(described, target, name);
      const load = await to.load(output, planOf(mode === 'merge' ? { mode, missing: 'remove' } : {}));
      const rows = await from.read(described, 'copy-text', {});
      const written = await load.write(rows, 'copy-text');
      return { warnings: written.warnings, ...(await load.commit({})) };
    };
    const contents = async (schema: string, name: string, columns: string) =>
      database.query(
        `select count(*) as n, sha2(group_concat(md5(concat_ws('|', ${columns})) order by id), 256) as digest
         from ${schema}.${name}`,
      );
    for (const name of ['keyed', 'versioned']) {
      expect(await copy(name, 'replace'), name).toMatchObject({ rows: 1000, inserted: 1000, warnings: [] });
      const columns = 'id, hex(c), hex(b), d, at, n, f, t, j';
      expect(await contents(target, name, columns), name).toEqual(
        await contents(database.name, name, columns),
      );
      await database.query(`update ${name} set n = -n where id < 100; delete from ${name} where id > 899`);
      expect(await copy(name, 'merge'), name).toMatchObject({ inserted: 0, updated: 99, deleted: 100 });
      expect(await contents(target, name, columns), name).toEqual(
        await contents(database.name, name, columns),
      );
    }
    expect(await copy('keyless', 'replace')).toMatchObject({ rows: 2 });
    const lengths = `select id, length(t) as t, length(raw) as raw, md5(t) as digest from`;
    expect(await database.query(`${lengths} ${target}.keyless order by id`)).toEqual(
      await database.query(`${lengths} keyless order by id`),
    );
    await database.query(`drop database ${target}`);
    await database[Symbol.asyncDispose]();
  });

  test('a column that the source has lost is named, and a table that was dropped takes no changes', async () => {
    const database = await oddDatabase();
    await database.query(
      `create table t (id bigint primary key, a int, b int); insert into t values (1, 2, 3)`,
    );
    const connect = connector(database.configuration, { egress: loopback });
    const [from, to] = [bulkSource(connect), bulkDestination(connect)];
    const target = `${database.name}_copy`;
    const begin = async (mode: 'replace' | 'merge') => {
      const described = await from.table(`${database.name}.t`, undefined);
      const load = await to.load(outputOf(described, target, 't'), planOf({ mode }));
      await load.write(await from.read(described, 'copy-text', {}), 'copy-text');
      return load;
    };
    await (await begin('replace')).commit({});
    await database.query('alter table t drop column b');
    const changes = ['column b is not in the source any more: it stays, empty in new rows'];
    expect(await (await begin('merge')).commit({})).toMatchObject({ changes });
    const merge = await begin('merge');
    await database.query(`drop table ${target}.t`);
    await expect(merge.commit({})).rejects.toThrow('was dropped while its rows were loaded');
    await merge.discard();
    await database.query(`drop database ${target}`);
    await database[Symbol.asyncDispose]();
  });
});
