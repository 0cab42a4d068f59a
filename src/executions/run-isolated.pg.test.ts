import path from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMetadataDatabase, type MetadataDatabase } from '../../test/support/database.ts';
import { inherited, temporaryFolder } from '../../test/support/server.ts';
import { until } from '../../test/support/until.ts';
import { ProcessPool } from '../isolation/index.ts';
import { type Jobs, startJobs } from '../jobs/index.ts';
import {
  cancelExecution,
  type Execution,
  executionQueue,
  getExecution,
  readConsole,
  runIsolated,
  startExecution,
  startExecutionWorker,
} from './index.ts';

const publicUrl = 'http://tidemark.test';
let metadata: MetadataDatabase;
let jobs: Jobs;
let tasks: ProcessPool;
let worker: { stop(): Promise<void> };

beforeAll(async () => {
  metadata = await createMetadataDatabase();
  jobs = await startJobs(metadata.url, [executionQueue], 'work', () => {});
  tasks = new ProcessPool({
    program: path.join(import.meta.dirname, 'run-isolated.fixture.ts'),
    environment: {
      ...inherited(),
      DATABASE_URL: metadata.url,
      TIDEMARK_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
      TIDEMARK_RECORD_LOGS: await temporaryFolder(),
    },
    memoryMb: 512,
    // More than a process may have to wait for the processor on a slow machine.
    silenceSeconds: 8,
    places: 8,
    placesPerOwner: 8,
    keptFor: 10_000,
  });
  const log = pino({ level: 'silent' });
  const { db, url: databaseUrl } = metadata;
  worker = await startExecutionWorker(
    { db, jobs, databaseUrl, log, publicUrl, workerId: crypto.randomUUID() },
    runIsolated({ db, log, publicUrl, tasks }),
    { concurrency: 8 },
  );
});
afterAll(async () => {
  await worker.stop();
  await tasks.stop();
  await jobs.stop();
  await metadata[Symbol.asyncDispose]();
});

async function start(behaviour: string): Promise<Execution> {
  const { id: organizationId } = await metadata.db
    .insertInto('organizations')
    .values({ name: crypto.randomUUID() })
    .returning('id')
    .executeTakeFirstOrThrow();
  return startExecution(
    { db: metadata.db, jobs },
    {
      organizationId,
      kind: 'model',
      syncId: crypto.randomUUID(),
      trigger: 'manual',
      options: { behaviour },
      subject: { sync_name: behaviour, target_connection_id: crypto.randomUUID() },
    },
  );
}

const now = ({ organizationId, syncId, id }: Execution) =>
  getExecution(metadata.db, organizationId, syncId, id);

const reaches = (execution: Execution, status: string) =>
  until(async () => {
    const current = await now(execution);
    return current.status === status ? current : undefined;
  });

test('executions whose processes hang or end fail alone, each with its reason', async () => {
  const hanging = await start('hang');
  const ending = await start('exit');
  const healthy = await start('nothing');
  await reaches(healthy, 'completed');
  // Before it is given up, too.
  await until(async () => (await now(hanging)).statusMessage === 'Its process did not respond for 8 seconds');
  await cancelExecution(
    { db: metadata.db, jobs, publicUrl },
    hanging.organizationId,
    hanging.syncId,
    hanging.id,
  );
  await reaches(hanging, 'canceled');
  expect((await reaches(ending, 'failed')).errors).toEqual([
    'Given up: 5 processes died while running this execution. The last one: Its process ended (code 3)',
  ]);
  const { entries } = await readConsole(metadata.db, ending.id, {});
  expect(entries.map(({ message }) => message)).toEqual(
    Array(5).fill(
      'Its process ended (code 3). The execution goes on in another one, from its last checkpoint',
    ),
  );
});

test('what a process had committed counts: another one goes on from there', async () => {
  const execution = await start('once');
  const ended = await reaches(execution, 'completed');
  expect(ended).toMatchObject({ checkpoint: 1, counts: { total: 1 }, statusMessage: null, errors: [] });
});

test('a cancel that a process does not heed ends it within 2 seconds, and the execution is canceled', async () => {
  const execution = await start('deaf');
  await reaches(execution, 'running');
  const { organizationId, syncId, id } = execution;
  await cancelExecution({ db: metadata.db, jobs, publicUrl }, organizationId, syncId, id);
  await reaches(execution, 'canceled');
  const type = await metadata.db
    .selectFrom('events')
    .select('type')
    .where('organization_id', '=', organizationId)
    .orderBy('created_at')
    .execute();
  expect(type.map((event) => event.type)).toEqual(['sync.running', 'sync.canceled']);
});

test('the process of an execution that is deleted with its organization ends within seconds', async () => {
  const deaf = await start('deaf');
  const pid = await until(async () => (await now(deaf)).counts.process);
  await metadata.db.deleteFrom('organizations').where('id', '=', deaf.organizationId).execute();
  await until(() => !isAlive(pid));
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
