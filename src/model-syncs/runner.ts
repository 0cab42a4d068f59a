import { addressOf, openConnection } from '../connections/index.ts';
import type { ModelDestination } from '../connectors/index.ts';
import { messageOf, TidemarkError } from '../errors.ts';
import {
  findExecution,
  isCanceled,
  lastWhole,
  type Outcome,
  type Run,
  type Runner,
} from '../executions/index.ts';
import { getModel, openModelSource } from '../models/index.ts';
import { alikeFor } from './alike.ts';
import { type Delivery, deliver } from './deliver.ts';
import type { ModelSyncDependencies } from './destination.ts';
import { encrypting } from './encryption.ts';
import { guardRemoval } from './guard-removal.ts';
import type { ModelSync } from './model-sync.ts';
import { overriding } from './overrides.ts';
import { retryDelays } from './persist.ts';
import { type DeliverCheckpoint, plan } from './plan.ts';
import { replaceAll } from './replace.ts';
import { settleOldIntents, settleOwnIntent } from './settle-intents.ts';
import { getModelSync } from './store.ts';
import { beginning, ending } from './story.ts';
import { SyncFailed } from './sync-failed.ts';
import { lifeOf } from './target-life.ts';
import { buildTask, fieldsReadBy } from './task.ts';

type RunnerOptions = Pick<Delivery, 'retryDelays' | 'batchSize'>;

/**
 * Runs one execution of a model sync: plan, then deliver. A worker that takes over one that has planned goes
 * on delivering what is left.
 *
 * @param options.retryDelays milliseconds before each further try of a batch that could not be written.
 * @param options.batchSize records of a batch at most, where the destination would take more.
 */
export function modelSyncRunner(
  deps: ModelSyncDependencies,
  options: RunnerOptions = { retryDelays },
): Runner {
  return async (run): Promise<Outcome> => {
    try {
      const planned = run.execution.checkpoint as unknown as DeliverCheckpoint | null;
      if (planned === null) {
        const sync = await getModelSync(deps.db, run.execution.organizationId, run.execution.syncId);
        await using destination = await openDestination(deps, run, sync.target.connectionId);
        const checkpoint = await planExecution(deps, run, sync, destination, options.retryDelays);
        if (checkpoint === undefined) return { status: 'completed' };
        await deliverExecution(deps, run, checkpoint, destination.part, options);
      } else {
        await run.console('info', 'Another worker goes on with what is left to send');
        await using destination = await openDestination(deps, run, planned.task.targetConnectionId);
        await deliverExecution(deps, run, planned, destination.part, options);
      }
      const { counts } = await findExecution(deps.db, run.execution.organizationId, run.execution.id);
      const { level, message } = ending(counts);
      await run.console(level, message);
      return { status: 'completed' };
    } catch (error) {
      if (isCanceled(run)) await run.console('info', 'Canceled: what the target has taken counts');
      run.signal.throwIfAborted();
      const reason = messageOf(error);
      // Our own database may be what is away.
      await run.console('error', `Failed: ${reason}`).catch(() => {});
      if (!(error instanceof SyncFailed || error instanceof TidemarkError)) throw error;
      return { status: 'failed', errors: [reason] };
    }
  };
}

async function planExecution(
  deps: ModelSyncDependencies,
  run: Run,
  sync: ModelSync,
  destination: Destination,
  retryDelays: readonly number[],
): Promise<DeliverCheckpoint | undefined> {
  const model = await getModel(deps.db, run.execution.organizationId, sync.modelId);
  await run.console('info', beginning(run.execution, sync, model));
  await using source = await openModelSource(deps, model, {
    wanted: fieldsReadBy(sync, model),
    signal: run.signal,
    warn: (message) => run.console('warn', message),
  });
  const { startedAt, createdAt } = run.execution;
  const now = startedAt ?? createdAt;
  const fields = await source.fields();
  const task = await buildTask(sync, model, fields, destination, now);
  if (run.execution.options.test !== true) {
    // Mode replace has no baseline to bring up to date, so it asks nobody.
    const writer = async () =>
      sync.mode === 'replace' ? undefined : await destination.part.writer(task.target);
    await settleOldIntents(deps.db, run, sync.id, writer, retryDelays);
  }
  const overridden = overriding(source, sync.overrides, fields, now);
  const records = await encrypting(overridden, task.columns, sync.encryption, deps.keyRing);
  // Awaited here: the sessions close when this returns.
  const alike = await alikeFor(destination.part, task, fields);
  const life = await lifeOf(destination.part, task);
  return await plan(deps.db, run, sync, task, {
    source: records,
    destination: destination.part,
    alike,
    life,
  });
}

async function deliverExecution(
  deps: ModelSyncDependencies,
  run: Run,
  checkpoint: DeliverCheckpoint,
  destination: ModelDestination,
  { retryDelays, batchSize }: RunnerOptions,
): Promise<void> {
  const { task } = checkpoint;
  if (task.target.mode === 'replace') {
    await replaceAll({ db: deps.db, run, checkpoint, destination, retryDelays });
    return;
  }
  const writer = await destination.writer(task.target);
  // A dry run refuses nothing, and one of chosen records says nothing of the others.
  const last = await lastWhole(deps.db, run.execution.syncId);
  const refusedBefore = { count: last?.counts.error ?? 0, isCompleted: last?.status === 'completed' };
  const delivery = { db: deps.db, run, checkpoint, writer, retryDelays, batchSize, refusedBefore };
  await settleOwnIntent(delivery);
  await guardRemoval(delivery, destination);
  await deliver(delivery);
}

interface Destination {
  part: ModelDestination;
  address: string;
}

async function openDestination(
  deps: ModelSyncDependencies,
  run: Run,
  id: string,
): Promise<Destination & AsyncDisposable> {
  const { connection, session } = await openConnection(deps, run.execution.organizationId, id, run.signal);
  if (session.modelDestination === undefined) {
    throw new SyncFailed(`A ${connection.type} connection is no target of a model sync`);
  }
  return {
    part: session.modelDestination,
    address: addressOf(connection),
    [Symbol.asyncDispose]: () => session.close(),
  };
}
