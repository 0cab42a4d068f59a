import { createMariadbDatabase, describeMariadb } from '../../../test/support/mariadb.ts';
import { type ConnectorHarness, describeConnector, records } from '../conformance.ts';
import { mysql } from './index.ts';

/** Names that break code which does not quote. */
const table = '`ta\'ble.``x"`';

async function harness(): Promise<ConnectorHarness> {
  const database = await createMariadbDatabase();
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
    close: async () => database[Symbol.asyncDispose](),
  };
}

describeMariadb('mysql', () => {
  describeConnector(mysql, { source: true, modes: [], transactional: true }, harness);
});
