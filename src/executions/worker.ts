import type { Logger } from 'pino';
import type { Database } from '../db/index.ts';
import type { Jobs } from '../jobs/index.ts';
import { listenForCancels } from './cancel-listener.ts';
import { claimExecution, returnClaim } from './claim.ts';
import type { Execution } from './contract.ts';
import { logEnd } from './log-end.ts';
import { type ExecutionJob, executionQueue } from './queue.ts';
import type { RunClaimed, RunningExecution } from './run-claimed.ts';

export interface WorkerDependencies {
  db: Database;
  jobs: Jobs;
  databaseUrl: string;
  log: Logger;
  publicUrl: string;
  /** Tells this process apart from every other, living or dead. */
  workerId: string;
  /**
   * What an end says of others, such as its connections. Called when it is on record and its place is free: it may take
   * its time. `stop` gives it up by the signal.
   */
  afterEnd?: (execution: Execution, signal: AbortSignal) => Promise<void>;
}

/** Thrown to give a job back, so that another worker goes on with its execution. */
class HandedBack extends Error {
  override name = 'HandedBack';
  override message = 'the worker is draining';
}

/**
 * Takes executions from the queue and has them run. `stop` drains: runs reach their next checkpoint and are
 * handed back.
 *
 * @param concurrency executions at a time. One organization gets all but one of the places at most, so that
 *   its long runs cannot shut the others out.
 */
export async function startExecutionWorker(
  deps: WorkerDependencies,
  runClaimed: RunClaimed,
  { concurrency }: { concurrency: number },
): Promise<{ stop(): Promise<void> }> {
  const active = new Map<string, RunningExecution>();
  const following = new Set<Promise<void>>();
  const stopping = new AbortController();
  let draining = false;

  const handle = async ({ executionId }: ExecutionJob, signal: AbortSignal) => {
    if (draining) throw new HandedBack();
    const claimed = await claimExecution(deps, executionId);
    if (claimed === undefined) return;
    const started = performance.now();
    const running = runClaimed(claimed);
    active.set(executionId, running);
    // pg-boss aborts the signal when the job expired or its heartbeat was missed: somebody else has it.
    signal.addEventListener('abort', () => running.stop('claim_lost'));
    if (draining) running.stop('draining');
    try {
      const end = await running.end;
      if (end === 'handed_back') {
        await returnClaim(deps.db, claimed);
        throw new HandedBack();
      }
      if (end === 'claim_lost') deps.log.warn({ execution_id: executionId }, 'execution.claim_lost');
      else {
        logEnd(deps.log, end, performance.now() - started);
        follow(end);
      }
    } finally {
      active.delete(executionId);
    }
  };

  /** What fails here changes nothing about the end. */
  const follow = (execution: Execution) => {
    const { afterEnd } = deps;
    if (afterEnd === undefined || execution.status === 'canceled') return;
    const done = afterEnd(execution, stopping.signal)
      .catch((error: unknown) =>
        deps.log.warn({ err: error, execution_id: execution.id }, 'connections.health_unknown'),
      )
      .finally(() => following.delete(done));
    following.add(done);
  };

  const cancels = await listenForCancels(deps, {
    active: () => [...active.keys()],
    cancel: (executionId) => active.get(executionId)?.stop('canceled'),
    deleted: (executionId) => active.get(executionId)?.stop('claim_lost'),
  });
  await deps.jobs.work<ExecutionJob>(
    executionQueue,
    { concurrency, ...(concurrency > 1 ? { groupConcurrency: concurrency - 1 } : {}) },
    (job) => handle(job.data, job.signal),
  );

  return {
    async stop() {
      draining = true;
      for (const running of active.values()) running.stop('draining');
      stopping.abort();
      await deps.jobs.offWork(executionQueue);
      await cancels.stop();
      await Promise.all(following);
    },
  };
}
