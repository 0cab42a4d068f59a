import { TidemarkError } from '../errors.ts';
import type { BulkSync, SchemaSettings } from './bulk-sync.ts';

/**
 * Settings that are stored but not carried out yet, and that would send rows or values somewhere they must not
 * go if they were ignored. (A tracking field is different: without it a full read gives the same rows.)
 *
 * @throws not_implemented, which fails the table and no other.
 */
export function refuseNotBuilt(sync: BulkSync, settings: SchemaSettings): void {
  const refuse = (operation: string) => {
    throw new TidemarkError('not_implemented', { operation });
  };
  if (settings.filters.length > 0) refuse('Filtering a schema of a bulk sync');
  const cutoff = settings.dataCutoffTimestamp ?? sync.dataCutoffTimestamp;
  if (cutoff !== null && !settings.disableDataCutoff) refuse('A data cutoff');
}
