import type { JsonObject } from '../../lib/json.ts';
import { RecyclingSocket } from '../../lib/recycling-socket.ts';
import type { Connector, Session } from '../contract.ts';
import { databaseModelConfiguration } from '../model-configuration.ts';
import { tableTargetConfiguration } from '../target-configuration.ts';
import { bulkDestination } from './bulk-destination.ts';
import { bulkSource } from './bulk-source.ts';
import { catalogue } from './catalogue.ts';
import { connector } from './client.ts';
import { type Configuration, configuration } from './configuration.ts';
import { modelDestination } from './model-destination.ts';
import { modelSource } from './model-source.ts';
import { readTypes, writtenTypes } from './types.ts';
import { withReader } from './with-client.ts';

export const postgresql: Connector = {
  id: 'postgresql',
  name: 'PostgreSQL',
  configuration,
  modelConfiguration: databaseModelConfiguration,
  targetConfiguration: tableTargetConfiguration,
  capabilities: { source: true, destination: true },
  address: { server: ['hostname', 'port'], within: ['database'] },
  types: { read: readTypes, written: writtenTypes },
  open(settings: JsonObject, { egress, signal, lookTimeout }): Session {
    const ended = new AbortController();
    const signals = signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal]);
    const reach = { egress, signal: signals };
    const connect = connector(settings as unknown as Configuration, reach);
    const reading = connector(settings as unknown as Configuration, reach, () => new RecyclingSocket());
    return {
      test: () => withReader(connect, 'tidemark test', async () => {}),
      catalogue: catalogue(connect),
      modelSource: modelSource(reading, lookTimeout),
      modelDestination: modelDestination(connect),
      bulkSource: bulkSource(connect),
      bulkDestination: bulkDestination(connect),
      async close() {
        for (const { kept } of [connect, reading]) kept.end();
        ended.abort();
      },
    };
  },
};
