import type { LoadPlan } from '../connectors/index.ts';
import { TidemarkError } from '../errors.ts';
import type { JsonObject } from '../lib/json.ts';
import type { BulkSync } from './bulk-sync.ts';

/** What `destination_configuration` says, with its defaults filled in. */
export interface DestinationSettings {
  /** What becomes of tables that the sync did not make. Undefined: they are not touched. */
  strangers: LoadPlan['strangers'];
  /** Empty and fill a table that is replaced, so that views on it survive. */
  truncate: boolean;
  /** Remove rows that the source does not have any more, instead of marking them. */
  hardDeletes: boolean;
  /** Seconds below the last position from which rows are read again at least, where the tracking field is a time. */
  lookback: number;
  /** In front of the names of Tidemark's own columns. */
  columnPrefix: string;
}

export function destinationSettings({
  destinationConfiguration,
}: Pick<BulkSync, 'destinationConfiguration'>): DestinationSettings {
  const advanced = (destinationConfiguration.advanced ?? {}) as Record<string, unknown>;
  const { truncate_existing: truncate, hard_deletes: hardDeletes, record_column_prefix: prefix } = advanced;
  const { lookback_minutes: lookback } = advanced;
  return {
    strangers: strangersOf(destinationConfiguration),
    truncate: truncate === true,
    hardDeletes: hardDeletes === true,
    lookback: typeof lookback === 'number' ? lookback * 60 : 0,
    columnPrefix: typeof prefix === 'string' && prefix !== '' ? prefix : '_tidemark_',
  };
}

/** @throws invalid_field when a table is to be kept and dropped. */
export function checkStrangers(configuration: JsonObject): void {
  if (configuration.adopt !== true || configuration.overwrite !== true) return;
  const reason = 'excludes adopt: a table that this sync did not make is kept or dropped';
  throw new TidemarkError('invalid_field', { field: 'destination_configuration.overwrite', reason });
}

function strangersOf({ adopt, overwrite }: JsonObject): LoadPlan['strangers'] {
  if (overwrite === true) return 'overwrite';
  return adopt === true ? 'adopt' : undefined;
}
