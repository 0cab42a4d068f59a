import type { BulkSync } from './bulk-sync.ts';

/** What `destination_configuration.advanced` says, with its defaults filled in. */
export interface DestinationSettings {
  /** Empty and fill a table that is replaced, so that views on it survive. */
  truncate: boolean;
  /** Remove rows that the source does not have any more, instead of marking them. */
  hardDeletes: boolean;
  /** In front of the names of Tidemark's own columns. */
  columnPrefix: string;
}

export function destinationSettings({
  destinationConfiguration,
}: Pick<BulkSync, 'destinationConfiguration'>): DestinationSettings {
  const advanced = (destinationConfiguration.advanced ?? {}) as Record<string, unknown>;
  const { truncate_existing: truncate, hard_deletes: hardDeletes, record_column_prefix: prefix } = advanced;
  return {
    truncate: truncate === true,
    hardDeletes: hardDeletes === true,
    columnPrefix: typeof prefix === 'string' && prefix !== '' ? prefix : '_tidemark_',
  };
}
