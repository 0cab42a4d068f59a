import { sql } from 'kysely';
import { type Database, isConnectionFailure, type Transaction } from '../db/index.ts';
import { type Claimed, ClaimLost } from './claim.ts';
import { writeConsole } from './console.ts';
import type { Counts, HeldLogs, Progress, Run } from './contract.ts';
import type { RecordLogStore } from './record-log-store.ts';
import { acknowledgeLogs, RecordLogWriter } from './record-log-writer.ts';

/** Why a run is told to stop. */
export type StopReason = 'canceled' | 'claim_lost' | 'draining';

export class Stopped extends Error {
  override name = 'Stopped';
  readonly reason: StopReason;

  constructor(reason: StopReason) {
    super(reason);
    this.reason = reason;
  }
}

/** Whether a run stops because its user does not want it any more, not to be gone on with by another worker. */
export function isCanceled({ signal }: Pick<Run, 'signal'>): boolean {
  return signal.reason instanceof Stopped && signal.reason.reason === 'canceled';
}

/** Our own database could not be reached while progress was committed. */
export class MetadataUnavailable extends Error {
  override name = 'MetadataUnavailable';
}

/** A Run and what its worker needs to steer it. */
export interface SteeredRun {
  run: Run;
  /** Aborts the run's signal; the first reason counts. */
  stop(reason: StopReason): void;
  /** Puts what was logged but not committed out of the way and closes files. */
  close(): Promise<void>;
}

export function createRun(
  deps: { db: Database; recordLogs: RecordLogStore },
  { execution, claim }: Claimed,
): SteeredRun {
  const controller = new AbortController();
  const logs = new RecordLogWriter(deps.recordLogs, execution);
  const stop = (reason: StopReason) => controller.abort(new Stopped(reason));

  // One at a time: bulk runs commit from several tables at once, and each acknowledges what it flushed.
  let turn: Promise<void> = Promise.resolve();
  type Work = (tx: Transaction, held: HeldLogs) => Promise<void>;
  const commit = (progress: Progress, work?: Work) => {
    const mine = turn.then(() => commitNow(progress, work));
    turn = mine.catch(() => {});
    return mine;
  };
  const commitNow = async (progress: Progress, work?: Work) => {
    const { hold = false, adopt = [] } = progress;
    await logs.flush();
    try {
      await deps.db.transaction().execute(async (tx) => {
        const canceling = await advance(tx, execution.id, claim, progress);
        await work?.(tx, logs.held());
        await acknowledgeLogs(tx, execution.id, hold ? adopt : [...adopt, ...logs.held()]);
        if (canceling) stop('canceled');
      });
    } catch (error) {
      if (error instanceof ClaimLost) stop('claim_lost');
      if (isConnectionFailure(error))
        throw new MetadataUnavailable('the metadata database is away', { cause: error });
      throw error;
    }
    if (!hold) logs.acknowledged();
  };

  return {
    run: {
      execution,
      signal: controller.signal,
      commit,
      recordLog: (types, entry) => logs.append([types].flat(), entry),
      recordLogs: (types, entries) => logs.appendAll(types, entries),
      dropLogs: () => logs.drop(),
      console: (level, message, payload, schemaId) =>
        writeConsole(deps.db, execution.id, { level, message, payload, schemaId }),
    },
    stop,
    close: () => logs.close(),
  };
}

/** @returns whether the execution is to be canceled: the notification may have been lost. */
async function advance(
  tx: Transaction,
  executionId: string,
  claim: string,
  progress: Progress,
): Promise<boolean> {
  const current = await tx
    .selectFrom('executions')
    .select(['counts', 'status'])
    .where('id', '=', executionId)
    .where('claim', '=', claim)
    .forUpdate()
    .executeTakeFirst();
  if (current === undefined) throw new ClaimLost();
  await tx
    .updateTable('executions')
    .set({
      updated_at: sql<string>`clock_timestamp()`,
      // Progress: whatever killed earlier workers, it was not this execution. A commit that only says that it
      // runs is none, or an execution that kills its worker would begin anew for ever.
      ...(isProgress(progress) ? { claims: 1 } : {}),
      counts: JSON.stringify(sum(current.counts as Counts, progress.counts ?? {})),
      ...(progress.checkpoint === undefined ? {} : { checkpoint: JSON.stringify(progress.checkpoint) }),
    })
    .where('id', '=', executionId)
    .execute();
  return current.status === 'canceling';
}

function isProgress({ checkpoint, counts }: Progress): boolean {
  return checkpoint !== undefined || Object.values(counts ?? {}).some((count) => count > 0);
}

function sum(counts: Counts, added: Counts): Counts {
  const result = { ...counts };
  for (const [name, value] of Object.entries(added)) result[name] = (result[name] ?? 0) + value;
  return result;
}
