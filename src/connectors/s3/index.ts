import type { JsonObject } from '../../lib/json.ts';
import { type TempFolder, tempFolder } from '../../lib/temp-folder.ts';
import type { Connector, Session } from '../contract.ts';
import { bulkSource } from '../file-formats/bulk-source.ts';
import { catalogue } from '../file-formats/catalogue.ts';
import { EnginePool } from '../file-formats/engine-pool.ts';
import { modelSource } from '../file-formats/model-source.ts';
import { textTypes } from '../file-formats/text-kinds.ts';
import { fileModelConfiguration } from '../model-configuration.ts';
import { bulkDestination } from './bulk-destination.ts';
import { type Configuration, configuration, placeOf } from './configuration.ts';
import { modelDestination } from './model-destination.ts';
import { ObjectReader } from './object-reader.ts';
import { parquetTypes } from './parquet-types.ts';
import { s3Source } from './source.ts';
import { objectStore } from './store.ts';

/** Bytes of COPY text that become one file. */
const partSize = 128 * 1024 * 1024;

/** Files in a bucket of Amazon S3, or of a store that speaks as it does. */
import { targetConfiguration } from './model-table.ts';

export const s3: Connector = {
  id: 's3',
  name: 'Amazon S3',
  configuration,
  modelConfiguration: fileModelConfiguration,
  targetConfiguration,
  capabilities: { source: true, destination: true },
  address: { server: ['endpoint'], within: ['s3_bucket_region', 's3_bucket_name'] },
  types: { read: textTypes, written: parquetTypes },
  open(settings: JsonObject, context): Session {
    const ended = new AbortController();
    const signal =
      context.signal === undefined ? ended.signal : AbortSignal.any([context.signal, ended.signal]);
    const place = placeOf(settings as unknown as Configuration);
    const openStore = (until: AbortSignal) => objectStore(place, { egress: context.egress, signal: until });
    const store = openStore(signal);
    let folder: Promise<TempFolder> | undefined;
    const temp = () => {
      folder ??= tempFolder();
      return folder;
    };
    const engines = new EnginePool(signal, async () => (await temp()).path);
    const reader = new ObjectReader(store, `${place.endpoint}/${place.bucket}`, temp, engines);
    const source = s3Source(store, reader, place, settings as unknown as Configuration);
    const destination = { place, openStore, temp, engines, signal, partSize };
    return {
      async test() {
        // One page, whatever is on it.
        for await (const _ of store.list(place.prefix)) break;
      },
      catalogue: catalogue(source),
      modelSource: modelSource(source),
      bulkSource: bulkSource(source),
      modelDestination: modelDestination(destination),
      bulkDestination: bulkDestination(destination),
      async close() {
        ended.abort(new Error('the session was closed'));
        await engines.close();
        await (await folder)?.[Symbol.asyncDispose]();
      },
    };
  },
};
