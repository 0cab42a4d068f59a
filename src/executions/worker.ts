import type { Logger } from 'pino';
import type { Database } from '../db/index.ts';
import { messageOf } from '../errors.ts';
import type { Jobs } from '../jobs/index.ts';
import { listenForCancels } from './cancel-listener.ts';
import { type Claimed, ClaimLost, claimExecution, returnClaim } from './claim.ts';
import type { Execution, ExecutionKind, Outcome, Runner } from './contract.ts';
import { logEnd } from './log-end.ts';
import { type ExecutionJob, executionQueue } from './queue.ts';
import type { RecordLogStore } from './record-log-store.ts';
import { createRun, MetadataUnavailable, type SteeredRun, Stopped } from './run.ts';
import { transition } from './transition.ts';

export interface WorkerDependencies {
  db: Database;
  jobs: Jobs;
  databaseUrl: string;
  log: Logger;
  recordLogs: RecordLogStore;
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
 * Takes executions from the queue and runs them. `stop` drains: runs reach their next checkpoint and are
 * handed back.
 *
 * @param concurrency executions at a time. One organization gets all but one of the places at most, so that
 *   its long runs cannot shut the others out.
 */
export async function startExecutionWorker(
  deps: WorkerDependencies,
  runners: Record<ExecutionKind, Runner>,
  { concurrency }: { concurrency: number },
): Promise<{ stop(): Promise<void> }> {
  const active = new Map<string, SteeredRun>();
  const following = new Set<Promise<void>>();
  const stopping = new AbortController();
  let draining = false;

  const handle = async ({ executionId }: ExecutionJob, signal: AbortSignal) => {
    if (draining) throw new HandedBack();
    const claimed = await claimExecution(deps, executionId);
    if (claimed === undefined) return;
    const steered = createRun(deps, claimed);
    active.set(executionId, steered);
    // pg-boss aborts the signal when the job expired or its heartbeat was missed: somebody else has it.
    signal.addEventListener('abort', () => steered.stop('claim_lost'));
    if (draining) steered.stop('draining');
    try {
      const ended = await runToEnd(deps, runners[claimed.execution.kind], claimed, steered);
      if (ended !== undefined) follow(ended);
    } finally {
      active.delete(executionId);
      await steered.close();
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
  });
  await deps.jobs.work<ExecutionJob>(
    executionQueue,
    { concurrency, ...(concurrency > 1 ? { groupConcurrency: concurrency - 1 } : {}) },
    (job) => handle(job.data, job.signal),
  );

  return {
    async stop() {
      draining = true;
      for (const steered of active.values()) steered.stop('draining');
      stopping.abort();
      await deps.jobs.offWork(executionQueue);
      await cancels.stop();
      await Promise.all(following);
    },
  };
}

/** @returns the execution as it ended; undefined when another worker has it. */
async function runToEnd(
  deps: WorkerDependencies,
  runner: Runner,
  claimed: Claimed,
  { run }: SteeredRun,
): Promise<Execution | undefined> {
  const { execution } = claimed;
  const started = performance.now();
  let outcome: Outcome | 'canceled';
  try {
    outcome = await runner(run);
  } catch (error) {
    const reason = stopReason(run.signal, error);
    if (reason === 'claim_lost') {
      deps.log.warn({ execution_id: execution.id }, 'execution.claim_lost');
      return undefined;
    }
    if (reason === 'draining') {
      await returnClaim(deps.db, claimed);
      throw new HandedBack();
    }
    // The execution is not at fault: its job is tried again.
    if (error instanceof MetadataUnavailable) throw error;
    if (reason === undefined) deps.log.error({ err: error, execution_id: execution.id }, 'execution.failed');
    outcome = reason === 'canceled' ? 'canceled' : { status: 'failed', errors: [messageOf(error)] };
  }
  const ended = await finish(deps, claimed, outcome);
  if (ended !== undefined) logEnd(deps.log, ended, performance.now() - started);
  else deps.log.warn({ execution_id: execution.id }, 'execution.claim_lost');
  return ended;
}

/** A run that was completed while its cancel was on the way stays completed: the work is done. */
async function finish(
  deps: WorkerDependencies,
  { execution, claim }: Claimed,
  outcome: Outcome | 'canceled',
): Promise<Execution | undefined> {
  const end =
    outcome === 'canceled'
      ? { to: 'canceled' as const }
      : { to: outcome.status, errors: outcome.errors ?? [], failures: outcome.failures ?? [] };
  return deps.db
    .transaction()
    .execute((tx) =>
      transition(tx, deps, { executionId: execution.id, from: ['running', 'canceling'], claim, ...end }),
    );
}

function stopReason(signal: AbortSignal, error: unknown) {
  if (error instanceof ClaimLost) return 'claim_lost';
  if (error instanceof Stopped) return error.reason;
  // The abort may surface as whatever the interrupted connection threw.
  return signal.aborted && signal.reason instanceof Stopped ? signal.reason.reason : undefined;
}
