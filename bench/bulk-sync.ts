import { once } from 'node:events';
import type { BulkChild, SyncMeasurement } from './bulk-child.ts';
import { startChild, workerFlags } from './support.ts';

/** A bulk sync in a process of its own, which ends when it is disposed of. */
export async function syncOf({ metadata, source, destination, schemas }: BulkChild) {
  const options = { metadata, source, destination, schemas };
  const { child } = await startChild('bulk-child.ts', {
    args: [JSON.stringify(options)],
    flags: workerFlags,
  });
  const ended = once(child, 'exit');
  return {
    async run(): Promise<SyncMeasurement> {
      child.send('run');
      const answer = once(child, 'message') as Promise<[SyncMeasurement]>;
      const failed = ended.then(() => {
        throw new Error('the sync ended before it was done');
      });
      const [measurement] = await Promise.race([answer, failed]);
      return measurement;
    },
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
