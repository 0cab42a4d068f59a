import type { Counts, Execution, Run } from '../executions/index.ts';
import type { Model } from '../models/index.ts';
import type { ModelSync } from './model-sync.ts';

/** Milliseconds until the first line about progress; each later one comes after twice as long. */
const firstProgress = 5_000;

/** What an execution sets out to do. */
export function beginning({ trigger, options }: Execution, sync: ModelSync, model: Model): string {
  const { resync, test, identities } = options;
  const how = [
    `mode ${sync.modeName}`,
    ...(test === true ? ['a dry run'] : []),
    ...(resync === true ? ['as if nothing had been sent before (resync)'] : []),
    ...(Array.isArray(identities) ? [`only ${identities.length} identities`] : []),
    ...(sync.syncAllRecords ? ['whether changed or not (sync_all_records)'] : []),
  ];
  const begun = trigger === 'scheduled' ? 'Started by its schedule' : 'Started by request';
  return `${begun}: model ${model.name} to ${sync.target.object}, ${how.join(', ')}`;
}

/** What came of it, for the last line. */
export function ending({ insert, update, upserts, delete: deleted, error, warnings, total }: Counts): {
  level: 'info' | 'warn';
  message: string;
} {
  const parts = [
    [insert, 'inserted'],
    [update, 'updated'],
    [upserts, 'taken by the target'],
    [deleted, 'deleted'],
    [error, 'failed (see the errors log)'],
    [warnings, 'values changed on the way (see the warnings log)'],
  ].flatMap(([count, what]) => (count ? `${count} ${what}` : []));
  const level = error ? 'warn' : 'info';
  if (parts.length > 0) return { level, message: `Completed: ${parts.join(', ')}` };
  return { level, message: total ? 'Completed: nothing had to be changed' : 'Completed: nothing to send' };
}

/** Tells how far it has come, ever more seldom: only the newest 50 lines are kept, and the first ones matter. */
export function progressTeller(run: Run): (message: () => string) => Promise<void> {
  const started = performance.now();
  let next = firstProgress;
  return async (message) => {
    if (performance.now() - started < next) return;
    next *= 2;
    await run.console('info', message());
  };
}
