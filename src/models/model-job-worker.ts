import type { Transaction } from '../db/index.ts';
import { TidemarkError } from '../errors.ts';
import type { Job, Jobs } from '../jobs/index.ts';
import { draftModel } from './draft.ts';
import type { SourceDependencies } from './layer.ts';
import { endModelJob, type ModelJobRequest, modelJobQueue, takeModelJob } from './model-jobs.ts';
import { presentDraft, presentModel } from './present.ts';
import { sampleModel } from './sample.ts';
import { type ChangeModel, getModel, insertModel, replaceModel } from './store.ts';

/** Milliseconds that a source may take when nobody waits, and a little more for the connection. */
const lookTimeout = 300_000;
const budget = 320_000;

type WorkerDependencies = SourceDependencies & { changeModel: ChangeModel };

/** Answers what was asked with `async=true`. A job whose worker dies is begun anew by another one. */
export async function startModelJobWorker(
  deps: WorkerDependencies & { jobs: Jobs },
): Promise<{ stop(): Promise<void> }> {
  const stopping = new AbortController();
  await deps.jobs.work<{ modelJobId: string }>(
    modelJobQueue,
    { concurrency: 2, groupConcurrency: 1 },
    (job) => runModelJob(deps, job, AbortSignal.any([job.signal, stopping.signal])),
  );
  return {
    async stop() {
      stopping.abort(new Error('the worker is draining'));
      await deps.jobs.offWork(modelJobQueue);
    },
  };
}

/** @param handsBack ends the work, which another worker then starts over. */
async function runModelJob(
  deps: WorkerDependencies,
  job: Job<{ modelJobId: string }>,
  handsBack: AbortSignal,
): Promise<void> {
  const id = job.data.modelJobId;
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
    if (!(error instanceof TidemarkError) && job.retryCount < modelJobQueue.retryLimit) throw error;
    const told = error instanceof TidemarkError ? error.message : 'Something failed inside Tidemark';
    await endModelJob(deps, id, { error: told });
  }
}

/** @param end takes what gives the result, and does it in the transaction that ends the job. */
async function answer(
  deps: WorkerDependencies,
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
