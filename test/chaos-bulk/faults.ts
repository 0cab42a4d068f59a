import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { type BulkHarness, beginRun } from '../support/bulk-syncs.ts';
import { type BulkWorker, bulkWorker } from '../support/bulk-worker.ts';
import type { CuttingProxy } from '../support/cutting-proxy.ts';
import type { Destination } from './destinations.ts';
import type { Dice } from './dice.ts';
import type { Source } from './source.ts';

export interface Disturbed {
  harness: BulkHarness;
  source: Source;
  destination: Destination;
  /** In front of what is spoken to over a network. */
  proxies: CuttingProxy[];
  /** Milliseconds that the execution before took: what goes wrong is to fall within the next one, on any machine. */
  took: number;
}

export const faultKinds = [
  'handed over',
  'canceled',
  'source ended',
  'destination ended',
  'cut',
  'changed',
] as const;
export type Fault = 'none' | 'killed' | (typeof faultKinds)[number];

type Result = Awaited<ReturnType<BulkHarness['run']>>;

/** Runs an execution with what goes wrong on the way. `canceled` is the last word, all others go on. */
export async function runDisturbed(
  { harness, source, destination, proxies, took }: Disturbed,
  executionId: string,
  fault: Fault,
  dice: Dice,
  story: string[],
): Promise<Result> {
  const after = (dice.below(1000) / 1000) * took;
  switch (fault) {
    case 'handed over': {
      const stopped = (stop: (reason: 'draining') => void) => void pause(after).then(() => stop('draining'));
      await beginRun(harness, executionId, stopped).catch(() => {});
      return harness.run(executionId);
    }
    case 'killed':
      await killed(harness, executionId, after);
      return harness.run(executionId);
    case 'canceled': {
      const { outcome, stop } = harness.begin(executionId);
      await pause(after);
      stop('canceled');
      await outcome.catch(() => {});
      return harness.run(executionId);
    }
    case 'cut': {
      dice.pick(proxies).cutAfter(dice.below(dice.pick([500, 5000, 30_000])));
      return harness.run(executionId);
    }
    case 'source ended':
    case 'destination ended': {
      const running = harness.run(executionId);
      await pause(after);
      await (fault === 'source ended' ? source.terminate() : destination.terminate?.());
      return running;
    }
    case 'changed': {
      const running = harness.run(executionId);
      await pause(after);
      story.push(`meanwhile ${await source.change(dice)}`);
      return running;
    }
    default:
      return harness.run(executionId);
  }
}

let spare: BulkWorker | undefined;

/** Ends a worker without a word while it runs an execution. */
async function killed(harness: BulkHarness, executionId: string, after: number): Promise<void> {
  const worker = spare ?? bulkWorker(harness);
  // Up when it is needed.
  spare = bulkWorker(harness);
  const child = await worker.begin(executionId);
  const ended = once(child, 'exit');
  // What a process does first is slower than what it does later.
  await Promise.race([pause(after * 2), ended]);
  child.kill('SIGKILL');
  await ended;
}

export async function endWorkers(): Promise<void> {
  await spare?.end();
  spare = undefined;
}
