/** The program of a process that runs executions, for tests. What its runner does is in `options.behaviour`. */
import os from 'node:os';
import path from 'node:path';
import pino from 'pino';
import { readConfig } from '../config.ts';
import { openDatabase } from '../db/index.ts';
import { serveTasks } from '../isolation/index.ts';
import { executionTask, executionTaskOf, openRecordLogStore, type Run, runInProcess } from './index.ts';

const { db } = openDatabase(process.env.DATABASE_URL ?? '', 2);
const log = pino({ level: 'silent' });
const { recordLogs } = openRecordLogStore(readConfig(process.env), path.join(os.tmpdir(), 'record-logs'));

async function behave(run: Run): Promise<{ status: 'completed' }> {
  const { behaviour } = run.execution.options as { behaviour: string };
  // A count is progress, which a process that is to be given up must not make.
  await run.commit({ counts: behaviour === 'deaf' ? { process: process.pid } : { total: 0 } });
  if (behaviour === 'hang') for (;;);
  if (behaviour === 'exit') process.exit(3);
  // Whatever it is told.
  if (behaviour === 'deaf') await new Promise(() => {});
  if (behaviour === 'once' && run.execution.checkpoint === null) {
    await run.commit({ checkpoint: 1, counts: { total: 1 } });
    process.exit(3);
  }
  return { status: 'completed' };
}

const runClaimed = runInProcess(
  { db, log, recordLogs, publicUrl: 'http://tidemark.test' },
  { model: behave, bulk: behave },
);
serveTasks({ [executionTask]: executionTaskOf(db, runClaimed) });
