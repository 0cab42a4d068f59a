/**
 * An execution worker as a process of its own, for tests to kill. Its runner counts to `options.steps`, one
 * committed step at a time, and stops to wait for its end at `options.pauseAt`. Argument: worker id.
 */
import os from 'node:os';
import path from 'node:path';
import pino from 'pino';
import { readConfig } from '../config.ts';
import { openDatabase } from '../db/index.ts';
import { startJobs } from '../jobs/index.ts';
import { executionQueue, openRecordLogStore, type Run, runInProcess, startExecutionWorker } from './index.ts';

const url = process.env.DATABASE_URL ?? '';
const { db } = openDatabase(url);
const jobs = await startJobs(url, [executionQueue], 'work', () => {});

async function count(run: Run): Promise<{ status: 'completed' }> {
  const { steps, pauseAt } = run.execution.options as { steps: number; pauseAt?: number };
  for (let step = ((run.execution.checkpoint as number | null) ?? 0) + 1; step <= steps; step++) {
    if (step === pauseAt && process.env.PAUSE !== 'no') await forever(run.signal);
    run.signal.throwIfAborted();
    run.recordLog('records', JSON.stringify({ step }));
    await run.commit({ counts: { total: 1, insert: 1 }, checkpoint: step });
  }
  return { status: 'completed' };
}

function forever(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

const log = pino({ level: 'silent' });
const publicUrl = 'http://tidemark.test';
const { recordLogs } = openRecordLogStore(readConfig(process.env), path.join(os.tmpdir(), 'record-logs'));
const worker = await startExecutionWorker(
  { db, jobs, databaseUrl: url, log, publicUrl, workerId: process.argv[2] ?? '' },
  runInProcess({ db, log, recordLogs, publicUrl }, { model: count, bulk: count }),
  { concurrency: 4 },
);
process.on('SIGTERM', () => void worker.stop().then(() => process.exit(0)));
