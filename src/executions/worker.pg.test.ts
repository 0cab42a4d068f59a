import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createMetadataDatabase, type MetadataDatabase } from '../../test/support/database.ts';
import { temporaryFolder } from '../../test/support/server.ts';
import { until } from '../../test/support/until.ts';
import { type Jobs, startJobs } from '../jobs/index.ts';
import { claimExecution } from './claim.ts';
import {
  cancelExecution,
  createRun,
  deleteExecutions,
  type Execution,
  executionQueue,
  folderLogs,
  getExecution,
  listRecordLogs,
  openRecordLog,
  releaseExecutions,
  runInProcess,
  startExecution,
  startExecutionWorker,
} from './index.ts';

let metadata: MetadataDatabase;
let jobs: Jobs;
let folder: string;
const children = new Set<ChildProcess>();
const publicUrl = 'http://tidemark.test';
const subject = { sync_name: 'Counting', target_connection_id: crypto.randomUUID() };

beforeAll(async () => {
  metadata = await createMetadataDatabase();
  jobs = await startJobs(metadata.url, [executionQueue], 'send', () => {});
  folder = await temporaryFolder();
});
afterEach(async () => {
  for (const child of children) await kill(child);
});
afterAll(async () => {
  await jobs.stop();
  await metadata[Symbol.asyncDispose]();
});

async function start(options: { steps: number; pauseAt?: number }, kind: 'model' | 'bulk' = 'model') {
  const { id: organizationId } = await metadata.db
    .insertInto('organizations')
    .values({ name: crypto.randomUUID() })
    .returning('id')
    .executeTakeFirstOrThrow();
  return startExecution(deps(), {
    organizationId,
    kind,
    syncId: crypto.randomUUID(),
    trigger: 'manual',
    options,
    subject,
  });
}

const deps = () => ({ db: metadata.db, jobs, publicUrl, recordLogs: folderLogs(folder) });

function spawnWorker(pause = true): { child: ChildProcess; workerId: string } {
  const workerId = crypto.randomUUID();
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'worker.fixture.ts'), workerId], {
    env: {
      ...process.env,
      DATABASE_URL: metadata.url,
      TIDEMARK_RECORD_LOGS: folder,
      PAUSE: pause ? 'yes' : 'no',
    },
    stdio: 'inherit',
  });
  children.add(child);
  return { child, workerId };
}

async function kill(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, 'exit');
}

const now = ({ organizationId, syncId, id }: Execution) =>
  getExecution(metadata.db, organizationId, syncId, id);

const reaches = (execution: Execution, status: string) =>
  until(async () => {
    const current = await now(execution);
    return current.status === status ? current : undefined;
  });

/** The runner has committed everything before its pause. */
const paused = (execution: Execution, step: number) =>
  until(async () => (await now(execution)).checkpoint === step);

async function events(execution: Execution): Promise<string[]> {
  const { organizationId } = execution;
  const list = await metadata.db
    .selectFrom('events')
    .select('type')
    .where('organization_id', '=', organizationId)
    .orderBy('created_at')
    .execute();
  return list.map(({ type }) => type);
}

/** Every record of every file, through what readers get. */
async function logged(execution: Execution): Promise<number[]> {
  const steps: number[] = [];
  for (const { filename } of await listRecordLogs(metadata.db, execution.id, 'records')) {
    const chunks: Buffer[] = [];
    for await (const chunk of await openRecordLog(deps(), execution, 'records', filename))
      chunks.push(chunk as Buffer);
    const records = JSON.parse(Buffer.concat(chunks).toString()) as { step: number }[];
    steps.push(...records.map(({ step }) => step));
  }
  return steps;
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

test('after kill -9 another worker goes on from the checkpoint; counts, logs and events are exact', async () => {
  const execution = await start({ steps: 40, pauseAt: 20 });
  const first = spawnWorker();
  await paused(execution, 19);
  await kill(first.child);
  spawnWorker(false);
  await releaseExecutions(deps(), first.workerId);
  const completed = await reaches(execution, 'completed');
  expect(completed.counts).toMatchObject({ total: 40, insert: 40 });
  expect(await logged(execution)).toEqual(upTo(40));
  expect(await events(execution)).toEqual(['sync.running', 'sync.completed']);
});

test('missed heartbeats hand an execution on when no process saw its worker die', async () => {
  const execution = await start({ steps: 5, pauseAt: 3 });
  const first = spawnWorker();
  await paused(execution, 2);
  await kill(first.child);
  spawnWorker(false);
  await reaches(execution, 'completed');
  expect(await logged(execution)).toEqual(upTo(5));
  expect(await events(execution)).toEqual(['sync.running', 'sync.completed']);
});

test('a draining worker hands over at once; that is no death', async () => {
  const execution = await start({ steps: 10, pauseAt: 6 });
  const first = spawnWorker();
  await paused(execution, 5);
  spawnWorker(false);
  await kill(first.child, 'SIGTERM');
  expect(first.child.exitCode).toBe(0);
  const completed = await reaches(execution, 'completed');
  expect(completed.counts.total).toBe(10);
  const { claims } = await metadata.db
    .selectFrom('executions')
    .select('claims')
    .where('id', '=', execution.id)
    .executeTakeFirstOrThrow();
  expect(claims).toBe(1);
});

test('cancel takes effect in the middle of a run, and before one', async () => {
  const running = await start({ steps: 10, pauseAt: 4 });
  spawnWorker();
  await paused(running, 3);
  const canceling = await cancelExecution(deps(), running.organizationId, running.syncId, running.id);
  expect(['canceling', 'canceled']).toContain(canceling.status);
  await reaches(running, 'canceled');
  expect(await events(running)).toEqual(['sync.running', 'sync.canceled']);
  for (const child of children) await kill(child);

  const waiting = await start({ steps: 1 }, 'bulk');
  const canceled = await cancelExecution(deps(), waiting.organizationId, waiting.syncId, waiting.id);
  expect(canceled.status).toBe('canceled');
  expect(await events(waiting)).toEqual(['bulk_sync.canceled']);
  // Asking again changes nothing and announces nothing.
  await cancelExecution(deps(), waiting.organizationId, waiting.syncId, waiting.id);
  expect(await events(waiting)).toEqual(['bulk_sync.canceled']);
});

test('of twenty simultaneous starts one wins, the others are told which', async () => {
  const execution = await start({ steps: 1 });
  const again = {
    organizationId: execution.organizationId,
    kind: 'model' as const,
    syncId: crypto.randomUUID(),
    trigger: 'manual',
    options: {},
    subject: { sync_name: 'Race', target_connection_id: crypto.randomUUID() },
  };
  const starts = await Promise.allSettled(Array.from({ length: 20 }, () => startExecution(deps(), again)));
  const won = starts.filter(({ status }) => status === 'fulfilled');
  expect(won.length).toBe(1);
  for (const lost of starts.filter((one) => one.status === 'rejected')) {
    expect(lost.reason).toMatchObject({ key: 'execution_running', status: 409 });
  }
});

test('a worker whose claim was taken can neither commit nor finish', async () => {
  const execution = await start({ steps: 1 });
  const zombie = await claimExecution({ ...deps(), workerId: crypto.randomUUID() }, execution.id);
  if (zombie === undefined) throw new Error('not claimed');
  const heir = await claimExecution({ ...deps(), workerId: crypto.randomUUID() }, execution.id);
  expect(heir?.execution.status).toBe('running');
  const { run, close } = createRun(deps(), zombie);
  run.recordLog('records', '{"step":1}');
  await expect(run.commit({ counts: { total: 1 } })).rejects.toThrow(/another worker/);
  expect(run.signal.aborted).toBe(true);
  await close();
  expect((await now(execution)).counts).toEqual({});
  expect(await logged(execution)).toEqual([]);
  expect(await events(execution)).toEqual(['sync.running']);
});

test('deleting what runs announces its end', async () => {
  const execution = await start({ steps: 5, pauseAt: 3 });
  spawnWorker();
  await paused(execution, 2);
  await deleteExecutions(deps(), execution.organizationId, execution.syncId);
  expect(await events(execution)).toEqual(['sync.running', 'sync.canceled']);
  await expect(now(execution)).rejects.toMatchObject({ key: 'not_found' });
});

test('a record log file ends at 10,000 records or 8 MiB, whichever comes first', async () => {
  const execution = await start({ steps: 1 });
  const claimed = await claimExecution({ ...deps(), workerId: crypto.randomUUID() }, execution.id);
  if (claimed === undefined) throw new Error('not claimed');
  const { run, close } = createRun(deps(), claimed);
  for (let step = 1; step <= 10_001; step++) run.recordLog('records', JSON.stringify({ step }));
  for (let n = 0; n < 3; n++) run.recordLog('errors', JSON.stringify({ big: 'ä'.repeat(3 * 1024 * 1024) }));
  await run.commit({});
  await close();
  expect(await logged(execution)).toEqual(upTo(10_001));
  expect((await listRecordLogs(metadata.db, execution.id, 'records')).length).toBe(2);
  const errors = await listRecordLogs(metadata.db, execution.id, 'errors');
  expect(errors.map(({ closed }) => closed)).toEqual([true, false]);
});

test('a running execution that its worker handed back is canceled at once', async () => {
  const execution = await start({ steps: 1 });
  const workerId = crypto.randomUUID();
  await claimExecution({ ...deps(), workerId }, execution.id);
  await releaseExecutions(deps(), workerId);
  const { organizationId, syncId, id } = execution;
  expect((await cancelExecution(deps(), organizationId, syncId, id)).status).toBe('canceled');
  expect(await events(execution)).toEqual(['sync.running', 'sync.canceled']);
});

test('an execution that keeps killing its processes is given up', async () => {
  const execution = await start({ steps: 1 });
  for (let death = 0; death < 5; death++) {
    const claimed = await claimExecution({ ...deps(), workerId: crypto.randomUUID() }, execution.id);
    if (claimed === undefined) throw new Error('it was claimed');
    // Saying that it runs is no progress.
    const { run, close } = createRun(deps(), claimed);
    await run.commit({ counts: { total: 0 } });
    await close();
  }
  expect(await claimExecution({ ...deps(), workerId: crypto.randomUUID() }, execution.id)).toBeUndefined();
  expect(await now(execution)).toMatchObject({
    status: 'failed',
    errors: [expect.stringContaining('5 processes died')],
  });
  expect(await events(execution)).toEqual(['sync.running', 'sync.failed']);
});

test('what follows an end neither holds it up nor takes its place, and is given up at the stop', async () => {
  const own = await createMetadataDatabase();
  const working = await startJobs(own.url, [executionQueue], 'work', () => {});
  const log = pino({ level: 'silent' });
  const followed: string[] = [];
  const worker = await startExecutionWorker(
    {
      ...deps(),
      db: own.db,
      jobs: working,
      databaseUrl: own.url,
      log,
      workerId: crypto.randomUUID(),
      async afterEnd({ status }, signal) {
        followed.push(status);
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        throw new Error('given up');
      },
    },
    runInProcess(
      { ...deps(), db: own.db, log },
      { model: () => Promise.reject(new Error('no')), bulk: async () => ({ status: 'completed' }) },
    ),
    { concurrency: 1 },
  );
  const { id: organizationId } = await own.db
    .insertInto('organizations')
    .values({ name: crypto.randomUUID() })
    .returning('id')
    .executeTakeFirstOrThrow();
  for (const [kind, status] of [['model', 'failed'] as const, ['bulk', 'completed'] as const]) {
    const syncId = crypto.randomUUID();
    const { id } = await startExecution(
      { db: own.db, jobs: working },
      { organizationId, kind, syncId, trigger: 'manual', options: {}, subject },
    );
    await until(async () => (await getExecution(own.db, organizationId, syncId, id)).status === status);
  }
  await worker.stop();
  expect(followed).toEqual(['failed', 'completed']);
  await working.stop();
  await own[Symbol.asyncDispose]();
});
