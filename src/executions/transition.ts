import { sql } from 'kysely';
import type { Transaction } from '../db/index.ts';
import { appendEvent } from '../events/index.ts';
import { executionEnded } from '../schedules/index.ts';
import { enqueueDeliveries } from '../webhooks/index.ts';
import type { Execution, ExecutionStatus, Failure } from './contract.ts';
import { eventPayload, eventTypeOf } from './payloads.ts';
import { recordLogLinks } from './record-logs.ts';
import { executionColumns, toExecution } from './store.ts';

export interface Transition {
  executionId: string;
  from: readonly ExecutionStatus[];
  to: ExecutionStatus;
  /** The claim the caller holds; left out by callers that hold none, such as the API. */
  claim?: string;
  errors?: string[];
  failures?: Failure[];
}

/**
 * The only way an execution changes its status: the guarded update, what waits for its end, its event and its webhook
 * deliveries, in the caller's transaction. The event comes last, because it locks the organization's head until commit.
 *
 * @returns undefined when the guard did not hold: the execution is in another status or another worker's.
 */
export async function transition(
  tx: Transaction,
  deps: { publicUrl: string },
  { executionId, from, to, claim, errors = [], failures = [] }: Transition,
): Promise<Execution | undefined> {
  const finished = to === 'completed' || to === 'failed' || to === 'canceled' || to === 'errors';
  let update = tx
    .updateTable('executions')
    .set({
      status: to,
      updated_at: sql<string>`clock_timestamp()`,
      errors: sql<string[]>`errors || ${errors}::text[]`,
      ...(to === 'running' ? { started_at: sql<string>`clock_timestamp()` } : {}),
      ...(finished ? { completed_at: sql<string>`clock_timestamp()`, claim: null, worker_id: null } : {}),
      // What it waited for is over.
      ...(to === 'running' || finished ? { status_message: errors[0] ?? null } : {}),
    })
    .where('id', '=', executionId)
    .where('status', 'in', from);
  if (claim !== undefined) update = update.where('claim', '=', claim);
  const row = await update.returning(executionColumns).executeTakeFirst();
  if (row === undefined) return undefined;

  const execution = toExecution(row);
  if (finished) {
    const { syncId, options } = execution;
    const isTest = options.test === true;
    await executionEnded(tx, { syncId, succeeded: to === 'completed', isTest });
  }
  const type = eventTypeOf(execution, to);
  if (type !== undefined) {
    const links = await recordLogLinks(tx, deps.publicUrl, execution);
    const event = eventPayload(type, execution, links, failures);
    const stored = await appendEvent(tx, { organizationId: execution.organizationId, type, event });
    await enqueueDeliveries(tx, stored);
  }
  return execution;
}
