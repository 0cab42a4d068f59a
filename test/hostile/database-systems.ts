import { createDatabase } from '../support/database.ts';
import { postgresqlConfiguration } from '../support/http.ts';
import { createMariadbDatabase, type MariadbDatabase } from '../support/mariadb.ts';
import { mysqlFraming, postgresqlFraming } from './frames.ts';
import { messageProxy } from './message-proxy.ts';
import type { HostileSystem } from './play.ts';
import type { VisitName } from './visits.ts';

/** Systems of one lane, which are its own. */
export interface HostileSystems extends AsyncDisposable {
  systems: readonly HostileSystem[];
}

/** Short ones more often. */
const databaseVisits: readonly VisitName[] = [
  ...(['test', 'schemas', 'records', 'meta', 'fields', 'sample', 'modelKeys', 'modelRecords'] as const),
  ...([
    'modelSome',
    'readBest',
    'readText',
    'loadReplace',
    'loadMerge',
    'objects',
    'targetFields',
    'write',
  ] as const),
  ...(['replace', 'readBest', 'readText', 'modelRecords', 'test'] as const),
];

const valuesOf = (text: (index: number) => string) =>
  Array.from({ length: 40 }, (_, index) => text(index)).join(', ');

export async function hostilePostgresql(): Promise<HostileSystems> {
  const database = await createDatabase();
  await database.query(`create table people (id bigint primary key, name text, at timestamptz default now(), raw bytea, n numeric);
    insert into people values ${valuesOf((index) => `(${index}, 'name ${index}', default, '\\x00ff', ${index}.5)`)};
    create table target (id bigint primary key, name text); analyze people`);
  const url = new URL(database.url);
  const proxy = await messageProxy(Number(url.port), postgresqlFraming);
  const system: HostileSystem = {
    connector: 'postgresql',
    configuration: {
      ...postgresqlConfiguration(url.href),
      hostname: '127.0.0.1',
      port: proxy.port,
      client_certs: false,
    },
    place: {
      ...{ schemaId: 'public.people', model: { table: 'public.people' }, object: 'public.target' },
      schema: 'copied',
    },
    visits: databaseVisits,
    arm: proxy.arm,
    seen: proxy.seen,
  };
  return {
    systems: [system],
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

export async function hostileMysql(): Promise<HostileSystems> {
  const database: MariadbDatabase = await createMariadbDatabase();
  await database.query(`create table people (id bigint primary key, name text, at datetime(6), raw varbinary(20), n decimal(10,2), d double,
      b bit(9), g point, y year, t time(3));
    insert into people values ${valuesOf((index) => `(${index}, 'name ${index}', '2024-01-02 03:04:05.6', x'00ff', ${index}.5, 1e100, b'101', point(1, 2), 2024, '01:02:03')`)};
    create table target (id bigint primary key, name text)`);
  const proxy = await messageProxy(database.port, mysqlFraming);
  const system: HostileSystem = {
    connector: 'mysql',
    configuration: { ...database.configuration, port: proxy.port },
    place: {
      ...{ schemaId: `${database.name}.people`, model: { table: `${database.name}.people` } },
      ...{ object: `${database.name}.target`, schema: database.name },
    },
    visits: databaseVisits,
    arm: proxy.arm,
    seen: proxy.seen,
  };
  return {
    systems: [system],
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}
