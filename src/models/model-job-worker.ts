import type { Database, Transaction } from '../db/index.ts';
import { TidemarkError } from '../errors.ts';
import { ProcessDied, type Steering, type TaskHost } from '../isolation/index.ts';
import type { Jobs } from '../jobs/index.ts';
import type { KeyRing } from '../lib/seal.ts';
import { draftModel } from './draft.ts';
import type { SourceDependencies } from './layer.ts';
import {
  endModelJob,
  type ModelJobData,
  type ModelJobRequest,
  modelJobQueue,
  takeModelJob,
} from './model-jobs.ts';
import { presentDraft, presentModel } from './present.ts';
import { sampleModel } from './sample.ts';
import { type ChangeModel, getModel, insertModel, replaceModel } from './store.ts';

/** Milliseconds that a source may take when nobody waits, and a little more for the connection. */
const lookTimeout = 300_000;
const budget = 320_000;

type TaskDependencies = SourceDependencies & { changeModel: ChangeModel };

/** The task of a process that answers model jobs. */
export const modelJobTask = 'model-job';

interface TaskInput {
  modelJobId: string;
  /** Nobody tries it again. */
  isLastTry: boolean;
}

interface WorkerDependencies {
  db: Database;
  keyRing: KeyRing;
  jobs: Jobs;
  tasks: TaskHost;
}

/** Has answered what was asked with `async=true`. A job whose worker dies is begun anew by another one. */
export async function startModelJobWorker(deps: WorkerDependencies): Promise<{ stop(): Promise<void> }> {
  const stopping = new AbortController();
  await deps.jobs.work<ModelJobData>(modelJobQueue, { concurrency: 2, groupConcurrency: 1 }, async (job) => {
    const { modelJobId, organizationId = modelJobId } = job.data;
    const isLastTry = job.retryCount >= modelJobQueue.retryLimit;
    const input: TaskInput = { modelJobId, isLastTry };
    const task = deps.tasks.give(organizationId, modelJobTask, input);
    const handBack = () => task.steer('hand back');
    for (const signal of [job.signal, stopping.signal]) signal.addEventListener('abort', handBack);
    try {
      await task.result;
    } catch (error) {
      if (!(error instanceof ProcessDied)) throw error;
      await endModelJob(deps, modelJobId, { error: `Given up: ${error.message}` });
    }
  });
  return {
    async stop() {
      stopping.abort(new Error('the worker is draining'));
      await deps.jobs.offWork(modelJobQueue);
    },
  };
}

/** The other side: what a process does with such a task. */
export function modelJobTaskOf(deps: TaskDependencies) {
  return async (input: TaskInput, steering: Steering): Promise<void> => {
    const handsBack = new AbortController();
    steering.listen(() => handsBack.abort(new Error('the worker is draining')));
    await runModelJob(deps, input, handsBack.signal);
  };
}

/** @param handsBack ends the work, which another worker then starts over. */
async function runModelJob(
  deps: TaskDependencies,
  { modelJobId: id, isLastTry }: TaskInput,
  handsBack: AbortSignal,
): Promise<void> {
  const taken = await takeModelJob(deps, id);
  if (taken === undefined) return;
  const signal = AbortSignal.any([handsBack, AbortSignal.timeout(budget)]);
  try {
    await answer(deps, taken.organizationId, taken.request, signal, async (work) => {
      await deps.db.transaction().execute(async (tx) => {
        await endModelJob({ db: tx, keyRing: deps.keyRing }, id, { result: await work(tx) });
      });
    });
  } catch (error) {
    handsBack.throwIfAborted();
    if (!(error instanceof TidemarkError) && !isLastTry) throw error;
    const told = error instanceof TidemarkError ? error.message : 'Something failed inside Tidemark';
    await endModelJob(deps, id, { error: told });
  }
}

/** @param end takes what gives the result, and does it in the transaction that ends the job. */
async function answer(
  deps: TaskDependencies,
  organizationId: string,
  request: ModelJobRequest,
  signal: AbortSignal,
  end: (work: (tx: Transaction) => Promise<string>) => Promise<void>,
): Promise<void> {
  if (request.type === 'samplemodel') {
    const sample = await sampleModel(deps, organizationId, request.id, { signal, lookTimeout });
    return end(async () => sample);
  }
  const id = request.type === 'updatemodel' ? request.id : undefined;
  const draft = await draftModel(deps, organizationId, request.body, { id, signal, lookTimeout });
  if (request.type === 'previewmodel') return end(async () => JSON.stringify(presentDraft(draft)));
  return end(async (tx) => {
    if (request.type === 'createmodel') {
      const id = await insertModel(tx, request.actor, draft);
      return JSON.stringify(presentModel(await getModel(tx, organizationId, id)));
    }
    const { actor, id, force = false } = request;
    const change = () => replaceModel(tx, actor, id, draft);
    return JSON.stringify(presentModel(await deps.changeModel(tx, organizationId, id, force, change)));
  });
}
