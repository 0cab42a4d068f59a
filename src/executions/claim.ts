import { sql } from 'kysely';
import type { Database } from '../db/index.ts';
import type { Jobs } from '../jobs/index.ts';
import type { Logger } from '../lib/log.ts';
import type { Execution } from './contract.ts';
import { logEnd } from './log-end.ts';
import { executionColumns, toExecution } from './store.ts';
import { transition } from './transition.ts';

/** Processes that may die over one execution, without progress, before it is given up: it may be what kills them. */
const maxClaims = 5;

/** The claim is not in the row any more: another worker has the execution, or it has ended. */
export class ClaimLost extends Error {
  override name = 'ClaimLost';
  override message = 'another worker has taken this execution';
}

export interface Claimed {
  execution: Execution;
  claim: string;
}

/**
 * Takes an execution for this worker, whoever had it: the job queue hands a job on only after its worker
 * stopped sending heartbeats, and the new claim locks that worker out if it is merely slow.
 *
 * The first claim announces `running`; later ones announce nothing.
 *
 * @returns undefined when there is nothing left to do: finished, canceled meanwhile, or given up.
 */
export async function claimExecution(
  deps: { db: Database; jobs: Jobs; publicUrl: string; workerId: string; log?: Logger },
  executionId: string,
): Promise<Claimed | undefined> {
  const claim = crypto.randomUUID();
  let ended: Execution | undefined;
  const claimed = await deps.db.transaction().execute(async (tx) => {
    const row = await tx
      .updateTable('executions')
      .set({ claim, worker_id: deps.workerId, claims: sql<number>`claims + 1` })
      .where('id', '=', executionId)
      .where('status', 'in', ['queued', 'running', 'canceling'])
      .returning([...executionColumns, 'claims'])
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const execution = toExecution(row);
    if (execution.status === 'canceling') {
      ended = await transition(tx, deps, { executionId, from: ['canceling'], to: 'canceled', claim });
      return undefined;
    }
    if (row.claims > maxClaims) {
      const last = execution.statusMessage === null ? '' : `. The last one: ${execution.statusMessage}`;
      const reason = `Given up: ${maxClaims} processes died while running this execution${last}`;
      const end = { executionId, from: ['queued', 'running'], to: 'failed' } as const;
      ended = await transition(tx, deps, { ...end, errors: [reason], claim });
      return undefined;
    }
    const running = await transition(tx, deps, { executionId, from: ['queued'], to: 'running', claim });
    return { execution: running ?? execution, claim };
  });
  if (ended !== undefined && deps.log !== undefined) logEnd(deps.log, ended);
  return claimed;
}

/** What a worker has claimed and another process is to run. @returns undefined when the claim is lost. */
export async function readClaimed(
  db: Database,
  executionId: string,
  claim: string,
): Promise<Claimed | undefined> {
  const row = await db
    .selectFrom('executions')
    .select(executionColumns)
    .where('id', '=', executionId)
    .where('claim', '=', claim)
    .executeTakeFirst();
  return row && { execution: toExecution(row), claim };
}

/** A draining worker gives its execution back; that is no death, so it does not count as one. */
export async function returnClaim(db: Database, { execution, claim }: Claimed): Promise<void> {
  await db
    .updateTable('executions')
    .set({ claim: null, worker_id: null, claims: sql<number>`claims - 1` })
    .where('id', '=', execution.id)
    .where('claim', '=', claim)
    .execute();
}
