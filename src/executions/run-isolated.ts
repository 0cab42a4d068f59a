import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { Database } from '../db/index.ts';
import { ProcessDied, type Steering, type TaskHost } from '../isolation/index.ts';
import { type Claimed, readClaimed } from './claim.ts';
import { writeConsole } from './console.ts';
import type { StopReason } from './run.ts';
import { finish, type RunClaimed, type RunningExecution } from './run-claimed.ts';
import { findById } from './store.ts';

/** Milliseconds that a process may take from a cancel, or the loss of its claim, to its end. */
const stopGrace = 2000;

/** The task of a process that runs executions. */
export const executionTask = 'execution';

interface TaskInput {
  executionId: string;
  claim: string;
}

/** What the task returns. The end itself is in the database. */
type TaskEnd = 'ended' | 'claim_lost' | 'handed_back';

interface IsolatedDependencies {
  db: Database;
  log: Logger;
  publicUrl: string;
  tasks: TaskHost;
}

/**
 * Runs each execution in a process. One that dies, hangs, grows beyond its memory or does not heed its cancel takes nothing
 * with it: the execution is handed on with the reason, or canceled.
 */
export function runIsolated(deps: IsolatedDependencies): RunClaimed {
  return (claimed) => {
    const { execution, claim } = claimed;
    const input: TaskInput = { executionId: execution.id, claim };
    const task = deps.tasks.give(execution.organizationId, executionTask, input);
    let stopped: StopReason | undefined;
    let killer: NodeJS.Timeout | undefined;
    const stop = (reason: StopReason) => {
      if (stopped !== undefined) return;
      stopped = reason;
      task.steer(reason);
      if (reason === 'draining') return;
      killer = setTimeout(
        () => task.kill(`its process did not stop within ${stopGrace / 1000} seconds`),
        stopGrace,
      );
    };
    const end = task.result
      .finally(() => clearTimeout(killer))
      .then(
        async (result) => {
          const end = result as TaskEnd;
          return end === 'ended' ? findById(deps.db, execution.id) : end;
        },
        (error: unknown) => {
          if (!(error instanceof ProcessDied)) throw error;
          if (stopped === 'claim_lost') return 'claim_lost' as const;
          return stopped === 'canceled' ? cancelNow(deps, claimed) : handOn(deps, claimed, error);
        },
      );
    return { end, stop };
  };
}

/** The other side: what a process does with such a task. */
export function executionTaskOf(db: Database, runClaimed: RunClaimed) {
  return async ({ executionId, claim }: TaskInput, steering: Steering): Promise<TaskEnd> => {
    const claimed = await readClaimed(db, executionId, claim);
    if (claimed === undefined) return 'claim_lost';
    const running = runClaimed(claimed);
    steering.listen((how) => running.stop(how as StopReason));
    const end = await running.end;
    return typeof end === 'string' ? end : 'ended';
  };
}

async function cancelNow(deps: IsolatedDependencies, claimed: Claimed): RunningExecution['end'] {
  return (await finish(deps, claimed, 'canceled')) ?? 'claim_lost';
}

/** Says why its process died, and gives the claim up. The death stays counted. */
async function handOn(
  deps: IsolatedDependencies,
  { execution, claim }: Claimed,
  death: ProcessDied,
): Promise<never> {
  const reason = `${death.message[0]?.toUpperCase()}${death.message.slice(1)}`;
  deps.log.error({ execution_id: execution.id, reason }, 'execution.process_died');
  await deps.db.transaction().execute(async (tx) => {
    const row = await tx
      .updateTable('executions')
      .set({
        claim: null,
        worker_id: null,
        status_message: reason,
        updated_at: sql<string>`clock_timestamp()`,
      })
      .where('id', '=', execution.id)
      .where('claim', '=', claim)
      .returning('id')
      .executeTakeFirst();
    if (row === undefined) return;
    const message = `${reason}. The execution goes on in another one, from its last checkpoint`;
    await writeConsole(tx, execution.id, { level: 'error', message });
  });
  throw death;
}
