import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { BulkHarness } from './bulk-syncs.ts';

const script = path.join(import.meta.dirname, 'bulk-run.fixture.ts');

export interface BulkWorker {
  /** @returns the process, to be killed. It ends when it has run the execution. */
  begin(executionId: string): Promise<ChildProcess>;
  /** For one that was never told to begin. */
  end(): Promise<void>;
}

/** A worker that comes up and waits to be told to begin: starting one takes longer than what it does until it is killed. */
export function bulkWorker({ url, duckdbDir, rangeRows }: BulkHarness): BulkWorker {
  const ranges = rangeRows === undefined ? [] : [String(rangeRows)];
  const child = fork(script, [url, duckdbDir, ...ranges], { execArgv: [] });
  const ready = once(child, 'message');
  return {
    async begin(executionId) {
      await ready;
      child.send(executionId);
      return child;
    },
    async end() {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
