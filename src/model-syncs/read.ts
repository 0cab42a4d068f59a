import type { Batches, KeyAndHash, SourceRecord } from '../connectors/index.ts';
import { messageOf } from '../errors.ts';
import type { Run } from '../executions/index.ts';
import type { RecordQuery, RecordSource } from '../models/index.ts';
import { SyncFailed } from './sync-failed.ts';

/** Every record's key and hash; of the execution's `identities` only, if it was started for some. */
export function readKeys(run: Run, source: RecordSource, query: RecordQuery): Batches<KeyAndHash> {
  const keys = askedKeys(run);
  if (keys === undefined) return guarded(run, source.keys(query));
  const records = source.records(query, keys);
  // As lines they would have their values with them.
  return { [Symbol.asyncIterator]: () => stoppable(run, records) };
}

/** Full records: those with one of `keys`, or else as `readKeys` does. */
export function readRecords(
  run: Run,
  source: RecordSource,
  query: RecordQuery,
  keys?: readonly string[],
): Batches<SourceRecord> {
  return guarded(run, source.records(query, keys ?? askedKeys(run)));
}

/** The identities that the execution was started for; undefined for all. */
export function askedKeys(run: Run): string[] | undefined {
  const { identities } = run.execution.options;
  return Array.isArray(identities) ? [...new Set(identities.map(String))] : undefined;
}

function guarded<Row>(run: Run, batches: Batches<Row>): Batches<Row> {
  const { lines } = batches;
  return {
    ...(lines === undefined ? {} : { lines: () => stoppable(run, lines()) }),
    [Symbol.asyncIterator]: () => stoppable(run, batches),
  };
}

/** Stops between batches when the run is told to, and says whose fault a failure is. */
async function* stoppable<Batch>(run: Run, batches: AsyncIterable<Batch>): AsyncGenerator<Batch> {
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
