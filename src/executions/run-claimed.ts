import type { Logger } from 'pino';
import type { Database } from '../db/index.ts';
import { messageOf } from '../errors.ts';
import { type Claimed, ClaimLost } from './claim.ts';
import type { Execution, ExecutionKind, Outcome, Runner } from './contract.ts';
import type { RecordLogStore } from './record-log-store.ts';
import { createRun, MetadataUnavailable, Stopped, type StopReason } from './run.ts';
import { transition } from './transition.ts';

/** A claimed execution on its way. */
export interface RunningExecution {
  /**
   * The execution as it ended; `claim_lost` when another worker has it, `handed_back` when it was told to drain. Rejects
   * when the execution is not at fault and is to be tried again.
   */
  end: Promise<Execution | 'claim_lost' | 'handed_back'>;
  /** The first reason counts. */
  stop(reason: StopReason): void;
}

/** Runs what a worker has claimed. */
export type RunClaimed = (claimed: Claimed) => RunningExecution;

export interface RunDependencies {
  db: Database;
  log: Logger;
  recordLogs: RecordLogStore;
  publicUrl: string;
}

/** Runs executions in this process. */
export function runInProcess(deps: RunDependencies, runners: Record<ExecutionKind, Runner>): RunClaimed {
  return (claimed) => {
    const steered = createRun(deps, claimed);
    const run = runners[claimed.execution.kind];
    const end = runToEnd(deps, () => run(steered.run), claimed, steered.run.signal).finally(() =>
      steered.close(),
    );
    return { end, stop: steered.stop };
  };
}

async function runToEnd(
  deps: RunDependencies,
  run: () => Promise<Outcome>,
  claimed: Claimed,
  signal: AbortSignal,
): Promise<Execution | 'claim_lost' | 'handed_back'> {
  const { execution } = claimed;
  let outcome: Outcome | 'canceled';
  try {
    outcome = await run();
  } catch (error) {
    const reason = stopReason(signal, error);
    if (reason === 'claim_lost') return 'claim_lost';
    if (reason === 'draining') return 'handed_back';
    // The execution is not at fault: its job is tried again.
    if (error instanceof MetadataUnavailable) throw error;
    if (reason === undefined) deps.log.error({ err: error, execution_id: execution.id }, 'execution.failed');
    outcome = reason === 'canceled' ? 'canceled' : { status: 'failed', errors: [messageOf(error)] };
  }
  const ended = await finish(deps, claimed, outcome);
  return ended ?? 'claim_lost';
}

/** A run that was completed while its cancel was on the way stays completed: the work is done. */
export async function finish(
  deps: Pick<RunDependencies, 'db' | 'publicUrl'>,
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
