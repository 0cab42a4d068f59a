import type { ModelSyncMode } from './contract.ts';

/** What became of a record of a batch that was applied. @param known the destination had it before. */
export function statusOf(
  mode: ModelSyncMode,
  known: boolean,
): 'inserted' | 'updated' | 'deleted' | 'skipped' {
  switch (mode) {
    case 'updateOrCreate':
      return known ? 'updated' : 'inserted';
    case 'update':
      return known ? 'updated' : 'skipped';
    case 'create':
      return known ? 'skipped' : 'inserted';
    case 'append':
    case 'replace':
      return 'inserted';
    case 'remove':
      return known ? 'deleted' : 'skipped';
  }
}
