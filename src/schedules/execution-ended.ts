import { sql } from 'kysely';
import type { Transaction } from '../db/index.ts';
import { scheduleChannel } from './store.ts';

/**
 * What the end of an execution means to schedules, in the transaction that ends it: those that run after its sync
 * are due, and whatever waited for it may start.
 *
 * @param succeeded it has completed. @param isTest a dry run moves nothing, so nothing runs after it.
 */
export async function executionEnded(
  tx: Transaction,
  { syncId, succeeded, isTest }: { syncId: string; succeeded: boolean; isTest: boolean },
): Promise<void> {
  // Locked in one order, or two ends that concern the same schedules could wait for each other.
  await sql`
    with due as (
      update schedules set next_run_at = coalesce(next_run_at, clock_timestamp())
      where id in (
        select id from schedules
        where run_after @> array[${syncId}::uuid] and not ${isTest}::boolean
          and (${succeeded}::boolean or coalesce(settings ->> 'run_after_success_only', 'false') = 'false')
        order by id for update
      )
    )
    select pg_notify(${scheduleChannel}, '')`.execute(tx);
}
