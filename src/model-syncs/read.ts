import type { KeyAndHash, SourceRecord } from '../connectors/index.ts';
import { messageOf } from '../errors.ts';
import type { Run } from '../executions/index.ts';
import type { RecordQuery, RecordSource } from '../models/index.ts';
import { SyncFailed } from './sync-failed.ts';

/** Every record's key and hash; of the execution's `identities` only, if it was started for some. */
export function readKeys(run: Run, source: RecordSource, query: RecordQuery): AsyncIterable<KeyAndHash[]> {
  const keys = askedKeys(run);
  return guarded(run, keys === undefined ? source.keys(query) : source.records(query, keys));
}

/** Full records: those with one of `keys`, or else as `readKeys` does. */
export function readRecords(
  run: Run,
  source: RecordSource,
  query: RecordQuery,
  keys?: readonly string[],
): AsyncIterable<SourceRecord[]> {
  return guarded(run, source.records(query, keys ?? askedKeys(run)));
}

function askedKeys(run: Run): string[] | undefined {
  const { identities } = run.execution.options;
  return Array.isArray(identities) ? [...new Set(identities.map(String))] : undefined;
}

/** Stops between batches when the run is told to, and says whose fault a failure is. */
async function* guarded<Batch>(run: Run, batches: AsyncIterable<Batch>): AsyncGenerator<Batch> {
  const iterator = batches[Symbol.asyncIterator]();
  try {
    for (;;) {
      run.signal.throwIfAborted();
      const next = await iterator.next().catch((error: unknown) => {
        run.signal.throwIfAborted();
        throw new SyncFailed(`The model could not be read: ${messageOf(error)}`, { cause: error });
      });
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}
