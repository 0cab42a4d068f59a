import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { queryDuckDB } from '../../../test/support/duckdb.ts';
import { type ConnectorHarness, describeConnector, records } from '../conformance.ts';
import { literal } from '../duckdb-engine/index.ts';
import { duckdb } from './index.ts';

/** Names that break code which does not quote. */
const odd = '"we""ird.schema 🌊"."ta\'ble"';

async function harness(): Promise<ConnectorHarness> {
  const folder = await mkdtemp(path.join(tmpdir(), 'duckdb-test-'));
  const file = path.join(folder, 'crm.duckdb');
  const run = async (sql: string) => void (await queryDuckDB(file, sql));
  const rows = records.map(({ id, name, note }) => [id, name, note].map(text).join(', '));
  await run(`create schema "we""ird.schema 🌊"; create table ${odd} (id bigint primary key, name varchar, note varchar);
    create schema crm; create table crm.crm.people (person bigint primary key, name varchar check (name <> 'refused'), note varchar);
    insert into ${odd} values (${rows.join('), (')})`);
  await writeFile(path.join(folder, 'no.duckdb'), 'not a database');
  return {
    configuration: { database: 'crm.duckdb' },
    folder,
    broken: { database: 'no.duckdb' },
    source: {
      schemaId: '"we""ird.schema 🌊".ta\'ble',
      model: { query: `select id, name, note from ${odd} -- and a comment` },
      rename: (id, name) => run(`update ${odd} set name = ${text(name)} where id = ${id}`),
    },
    destination: {
      object: 'crm.people',
      identity: 'person',
      fields: { name: 'name', note: 'note' },
      refusedName: 'refused',
      // Of a copy: what is committed is in the file and its log, also while a writer has it open.
      async contents() {
        const copy = path.join(folder, `copy-${crypto.randomUUID()}`);
        await copyFile(file, copy);
        await copyFile(`${file}.wal`, `${copy}.wal`).catch(() => {});
        const found = await queryDuckDB(
          copy,
          'select person::varchar as person, name, note from crm.people order by person',
        );
        return new Map(
          found.map(({ person, name, note }) => [
            String(person),
            { name: name as string | null, note: note as string | null },
          ]),
        );
      },
      clear: () => run('delete from crm.crm.people'),
    },
    close: () => rm(folder, { recursive: true }),
  };
}

function text(value: string | null): string {
  return value === null ? 'null' : literal(value);
}

const modes = ['create', 'update', 'updateOrCreate', 'append', 'replace', 'remove'] as const;

describeConnector(duckdb, { source: true, modes, transactional: true }, harness);
