import type { JsonObject } from '../../lib/json.ts';
import type { Connector, Session } from '../contract.ts';
import { bulkSource } from '../file-formats/bulk-source.ts';
import { catalogue } from '../file-formats/catalogue.ts';
import { modelSource } from '../file-formats/model-source.ts';
import { textTypes } from '../file-formats/text-kinds.ts';
import { fileModelConfiguration } from '../model-configuration.ts';
import { type Configuration, configuration } from './configuration.ts';
import { theFile } from './the-file.ts';

/** One file of text at a URL: CSV, TSV or JSON lines. */
export const csv: Connector = {
  id: 'csv',
  name: 'CSV by URL',
  configuration,
  modelConfiguration: fileModelConfiguration,
  capabilities: { source: true, destination: false },
  address: { server: ['url', 'auth.oauth.token_endpoint'], within: [] },
  types: { read: textTypes },
  open(settings: JsonObject, context): Session {
    const ended = new AbortController();
    const signal =
      context.signal === undefined ? ended.signal : AbortSignal.any([context.signal, ended.signal]);
    const { egress } = context;
    const file = theFile(settings as unknown as Configuration, { egress, signal });
    return {
      test: file.test,
      catalogue: catalogue(file),
      modelSource: modelSource(file),
      bulkSource: bulkSource(file),
      async close() {
        ended.abort();
        await file.close();
      },
    };
  },
};
