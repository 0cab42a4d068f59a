import type { JsonObject } from '../../lib/json.ts';
import type { Connector, Session } from '../contract.ts';
import { databaseModelConfiguration } from '../model-configuration.ts';
import { tableTargetConfiguration } from '../target-configuration.ts';
import { bulkDestination } from './bulk-destination.ts';
import { bulkSource } from './bulk-source.ts';
import { catalogue } from './catalogue.ts';
import { connector, withConnection } from './client.ts';
import { type Configuration, configuration } from './configuration.ts';
import { modelDestination } from './model-destination.ts';
import { modelSource } from './model-source.ts';
import { checkServer } from './server-version.ts';
import { writeTypes } from './target-types.ts';
import { readTypes } from './types.ts';

export const mysql: Connector = {
  id: 'mysql',
  name: 'MySQL and MariaDB',
  configuration,
  modelConfiguration: databaseModelConfiguration,
  targetConfiguration: tableTargetConfiguration,
  capabilities: { source: true, destination: true },
  address: { server: ['hostname', 'port'], within: ['dbname'] },
  types: { read: readTypes, written: writeTypes },
  open(settings: JsonObject, { egress, signal, lookTimeout }): Session {
    const ended = new AbortController();
    const signals = signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal]);
    const options = settings as unknown as Configuration;
    const connect = connector(options, { egress, signal: signals });
    return {
      test: () => withConnection(connect, checkServer),
      catalogue: catalogue(connect, options.dbname),
      modelSource: modelSource(connect, options.dbname, lookTimeout),
      modelDestination: modelDestination(connect, options.dbname),
      bulkSource: bulkSource(connect),
      bulkDestination: bulkDestination(connect),
      async close() {
        connect.kept.end();
        ended.abort();
      },
    };
  },
};
