import { createDatabase } from '../../../test/support/database.ts';
import { postgresqlConfiguration } from '../../../test/support/http.ts';
import { type ConnectorHarness, describeConnector, records } from '../conformance.ts';
import { postgresql } from './index.ts';

/** Names that break code which does not quote. */
const odd = '"we""ird.schema 🌊"."ta\'ble"';

async function harness(): Promise<ConnectorHarness> {
  const database = await createDatabase();
  await database.query(`create schema "we""ird.schema 🌊"; create table ${odd} (id bigint primary key, name text, note text);
    create schema crm; create table crm.people (person bigint primary key, name text check (name <> 'refused'), note text)`);
  for (const { id, name, note } of records) {
    await database.query(`insert into ${odd} values ($1, $2, $3)`, [id, name, note]);
  }
  const configuration = { ...postgresqlConfiguration(database.url), client_certs: false };
  return {
    configuration,
    broken: { ...configuration, password: 'wrong' },
    source: {
      schemaId: '"we""ird.schema 🌊".ta\'ble',
      model: { query: `select id, name, note from ${odd} -- and a comment` },
      async rename(id, name) {
        await database.query(`update ${odd} set name = $2 where id = $1`, [id, name]);
      },
    },
    destination: {
      object: 'crm.people',
      identity: 'person',
      fields: { name: 'name', note: 'note' },
      refusedName: 'refused',
      async contents() {
        const rows = await database.query<{ person: string; name: string | null; note: string | null }>(
          'select person::text, name, note from crm.people order by person',
        );
        return new Map(rows.map(({ person, name, note }) => [person, { name, note }]));
      },
      async clear() {
        await database.query('truncate crm.people');
      },
    },
    close: async () => database[Symbol.asyncDispose](),
  };
}

const modes = ['create', 'update', 'updateOrCreate', 'append', 'replace', 'remove'] as const;

describeConnector(postgresql, { source: true, modes, transactional: true }, harness);
