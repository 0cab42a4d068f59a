import type { BulkTable } from '../connectors/index.ts';
import type { BulkSync, SchemaSettings } from './bulk-sync.ts';
import { destinationSettings } from './destination-settings.ts';

/** A transaction that stamps its rows when it begins may commit this many seconds later and still be seen. */
const lateCommit = 300;

/** The most that clocks which follow the law have been set back by at once: two hours, in seconds. */
const repeatedHours = 7200;

/**
 * Seconds below the last position from which rows are read again. A time without a zone comes twice when clocks are set
 * back: a row that is stamped then lies below rows that were read an hour before.
 */
export function overlapOf(
  sync: Pick<BulkSync, 'destinationConfiguration'>,
  { trackingField }: SchemaSettings,
  { columns }: BulkTable,
): number {
  const type = columns.find(({ name }) => name === trackingField)?.type ?? '';
  const isLocal = /^timestamp(\(\d+\))?( without time zone)?$/.test(type);
  return Math.max(lateCommit + (isLocal ? repeatedHours : 0), destinationSettings(sync).lookback);
}
