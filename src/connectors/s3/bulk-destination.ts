import { TidemarkError } from '../../errors.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { TempFolder } from '../../lib/temp-folder.ts';
import type { BulkDestination, BulkOutput } from '../contract.ts';
import type { EnginePool } from '../file-formats/engine-pool.ts';
import { openLoad } from './bulk-load.ts';
import type { Place } from './configuration.ts';
import { type OutputFormat, outputFormats, readManifest, tableFolder } from './manifest.ts';
import type { ObjectStore } from './store.ts';
import { strangersIn } from './strangers.ts';

/** What `destination_configuration` of a bulk sync may say, as the API publishes it. */
const options: JsonObject = {
  format: { default: 'parquet', items: [...outputFormats], required: false },
  subfolder: { default: 'public', items: null, required: false },
  mirror_schemas: { default: false, items: null, required: false },
  latest: { default: false, items: [false, true], required: false },
  adopt: { default: false, items: [false, true], required: false },
  overwrite: { default: false, items: [false, true], required: false },
  advanced: {
    default: null,
    required: false,
    items: {
      table_prefix: { default: '', items: null, required: false },
      lookback_minutes: { default: 0, items: null, required: false },
      hard_deletes: { default: false, items: null, required: false },
      record_column_prefix: { default: '_tidemark_', items: null, required: false },
    },
  },
};

export interface DestinationContext {
  place: Place;
  /** A view of the bucket that ends with the signal. */
  openStore(signal: AbortSignal): ObjectStore;
  temp(): Promise<TempFolder>;
  engines: EnginePool;
  signal: AbortSignal;
  /** Bytes of COPY text that become one file. */
  partSize: number;
}

export function bulkDestination(context: DestinationContext): BulkDestination {
  const { place, openStore, signal } = context;
  return {
    formats: ['copy-text'],
    options,
    async standing(target) {
      const store = openStore(signal);
      const folder = tableFolder(place.prefix, target);
      const live = await readManifest(store, folder);
      if (live !== undefined) return { position: live.manifest.position };
      const stranger = await strangersIn(store, folder);
      return stranger === undefined ? undefined : { stranger };
    },
    load: (output, plan) => openLoad(context, output, plan, formatOf(output)),
  };
}

function formatOf({ options: { format = 'parquet' } = {} }: BulkOutput): OutputFormat {
  const found = outputFormats.find((one) => one === format);
  if (found !== undefined) return found;
  const reason = `destination_configuration.format takes ${outputFormats.join(', ')}`;
  throw new TidemarkError('unprocessable', { reason });
}
