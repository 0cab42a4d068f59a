import type { JsonObject } from '../../lib/json.ts';
import type { Connector, Session } from '../contract.ts';
import { databaseModelConfiguration } from '../model-configuration.ts';
import { tableTargetConfiguration } from '../target-configuration.ts';
import { bulkDestination } from './bulk-destination.ts';
import { bulkSource } from './bulk-source.ts';
import { catalogue } from './catalogue.ts';
import { type Configuration, configuration } from './configuration.ts';
import { database, tryDatabase } from './database.ts';
import { modelDestination } from './model-destination.ts';
import { modelSource } from './model-source.ts';
import { readRules, writtenRules } from './types.ts';

/** A DuckDB file on this machine, in the folder of the organization. */
export const duckdb: Connector = {
  id: 'duckdb',
  name: 'DuckDB',
  configuration,
  modelConfiguration: databaseModelConfiguration,
  targetConfiguration: tableTargetConfiguration,
  capabilities: { source: true, destination: true },
  address: { server: [], within: ['database'] },
  types: { read: readRules, written: writtenRules },
  open(settings: JsonObject, { folder, signal, lookTimeout }): Session {
    const ended = new AbortController();
    const signals = signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal]);
    const file = database(folder, (settings as unknown as Configuration).database, signals);
    return {
      test: () => tryDatabase(file),
      catalogue: catalogue(file),
      modelSource: modelSource(file, lookTimeout),
      modelDestination: modelDestination(file),
      bulkSource: bulkSource(file),
      bulkDestination: bulkDestination(file),
      close: async () => ended.abort(),
    };
  },
};
