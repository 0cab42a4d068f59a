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

describeMariadb('mysql', () => {
  describeConnector(mysql, { source: true, modes, transactional: true }, harness);
});
