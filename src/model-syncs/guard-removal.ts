import type { ModelDestination } from '../connectors/index.ts';
import type { Delivery } from './deliver.ts';
import { checkDeletes, deleteLimit } from './max-deletes.ts';
import { countAfter, progressOf, readAhead } from './planned-records.ts';
import { presence } from './presence.ts';

/**
 * Mode `remove` deletes as it goes. Where a plan has more records than may be deleted, those that the target has are
 * counted first.
 *
 * @throws too_many_deletes
 */
export async function guardRemoval(
  { db, checkpoint, run }: Delivery,
  destination: ModelDestination,
): Promise<void> {
  const { plan, task } = checkpoint;
  const { delivered, finished } = await progressOf(db, plan);
  // What has begun was looked at.
  if (task.target.mode !== 'remove' || finished || delivered > 0) return;
  const planned = await countAfter(db, plan, 0);
  const limit = planned === 0 ? undefined : await deleteLimit(destination, task);
  if (limit === undefined || planned <= limit.limit) return;
  const probe = await presence(destination, task);
  let found = 0;
  for await (const batch of readAhead(db, plan, 0, probe.batchSize)) {
    run.signal.throwIfAborted();
    found += await probe.count(batch.records.map(({ key }) => key));
    checkDeletes(found, limit);
  }
}
