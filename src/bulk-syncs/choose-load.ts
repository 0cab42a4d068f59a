import type { BulkSource, BulkTable, LoadPlan } from '../connectors/index.ts';
import type { JsonObject } from '../lib/json.ts';
import type { BulkSync, SchemaSettings } from './bulk-sync.ts';
import { destinationSettings } from './destination-settings.ts';
import { holdsPlainValues, type Reader, resumeFrom } from './position.ts';

/** What an execution does with one table. */
export interface LoadChoice {
  plan: Pick<LoadPlan, 'mode' | 'missing' | 'truncate'>;
  /** Rows below it have been read before; undefined: every row is read. */
  from?: string;
  /** In words, why every row is read. */
  why?: string;
}

type Chooser = Reader & Pick<BulkSync, 'mode' | 'destinationConfiguration'>;

/**
 * `snapshot` replaces; `replicate` merges by key, and what a full read does not find any more is marked as deleted
 * or removed. Without a key there is nothing to merge by. `refetch` reads everything again; `resync` replaces the
 * rows as well; `rebuild` makes the table anew.
 *
 * @param stored the position kept with the rows; undefined when the table is not there.
 */
export async function chooseLoad(
  source: BulkSource,
  sync: Chooser,
  settings: SchemaSettings,
  table: BulkTable,
  resyncMode: string | undefined,
  stored: JsonObject | undefined,
): Promise<LoadChoice> {
  const { truncate, hardDeletes } = destinationSettings(sync);
  const replace = (why: string, keep = truncate): LoadChoice => ({
    plan: { mode: 'replace', truncate: keep },
    why,
  });
  if (resyncMode === 'rebuild') return replace('the table is recreated', false);
  if (sync.mode === 'snapshot') return replace('the sync takes snapshots');
  if (table.primaryKey.length === 0) return replace('it has no key to merge rows by');
  if (resyncMode === 'resync') return replace('all rows are replaced');
  // Rows that are marked as deleted are not read again: merged, they would keep what is to be hidden.
  if (holdsPlainValues(table, stored)) return replace('a field is obfuscated that was not before');
  const next =
    resyncMode === 'refetch'
      ? { full: 'this is asked for' }
      : await resumeFrom(source, sync, settings, table, stored);
  if ('from' in next) return { plan: { mode: 'merge', truncate: false }, from: next.from };
  const missing = hardDeletes ? 'remove' : 'mark';
  return { plan: { mode: 'merge', missing, truncate: false }, why: next.full };
}

/** The same for a table that is not the sync's: one that is kept stays the table it is, one that goes is recreated. */
export function takingOver(choice: LoadChoice, taking: LoadPlan['strangers']): LoadChoice {
  switch (taking) {
    case undefined:
      return choice;
    case 'overwrite':
      return { plan: { mode: 'replace', truncate: false }, why: 'the table that was there is dropped' };
    case 'adopt':
      return { ...choice, plan: { ...choice.plan, truncate: choice.plan.mode === 'replace' } };
  }
}
