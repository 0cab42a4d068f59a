/** Record logs wherever they are kept, across kills, until they have been kept long enough. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createMetadataDatabase, type MetadataDatabase } from '../../test/support/database.ts';
import { startS3, type TestS3 } from '../../test/support/s3.ts';
import { inherited, temporaryFolder } from '../../test/support/server.ts';
import { until } from '../../test/support/until.ts';
import { readConfig } from '../config.ts';
import { type Jobs, startJobs } from '../jobs/index.ts';
import { claimExecution } from './claim.ts';
import {
  createRun,
  deleteExecutions,
  type Execution,
  executionQueue,
  folderLogs,
  getExecution,
  listRecordLogs,
  openRecordLog,
  openRecordLogStore,
  type RecordLogStore,
  removeExpired,
  startExecution,
} from './index.ts';
import { transition } from './transition.ts';

let metadata: MetadataDatabase;
let jobs: Jobs;
let folder: string;
let s3: TestS3;
const publicUrl = 'http://tidemark.test';
const keep = { recordLogDays: 0, executionDays: 0 };

beforeAll(async () => {
  [metadata, s3] = await Promise.all([createMetadataDatabase(), startS3()]);
  jobs = await startJobs(metadata.url, [executionQueue], 'send', () => {});
});
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => s3.behave(() => undefined));
afterAll(async () => {
  await jobs.stop();
  await s3.close();
  await metadata[Symbol.asyncDispose]();
});

const environment = (place: string) => ({
  TIDEMARK_RECORD_LOGS: place,
  AWS_ACCESS_KEY_ID: 'key',
  AWS_SECRET_ACCESS_KEY: 'secret',
  AWS_ENDPOINT_URL_S3: String(s3.configuration.endpoint),
});
const storeAt = (place: string) => openRecordLogStore(readConfig(environment(place)), folder);
const deps = (recordLogs: RecordLogStore) => ({ db: metadata.db, jobs, publicUrl, recordLogs });

async function start(steps = 1, syncId = crypto.randomUUID()): Promise<Execution> {
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
      syncId,
      trigger: 'manual',
      options: { steps },
      subject: { sync_name: 'Counting', target_connection_id: crypto.randomUUID() },
    },
  );
}

/** Runs an execution here: one commit per list of entries. */
async function run(recordLogs: RecordLogStore, execution: Execution, commits: string[][]): Promise<void> {
  const claimed = await claimExecution({ ...deps(recordLogs), workerId: crypto.randomUUID() }, execution.id);
  if (claimed === undefined) throw new Error('not claimed');
  const steered = createRun(deps(recordLogs), claimed);
  for (const entries of commits) {
    for (const entry of entries) steered.run.recordLog(['records', 'inserts'], entry);
    await steered.run.commit({ counts: { total: entries.length } });
  }
  await steered.close();
  const end = { executionId: execution.id, from: ['running'], to: 'completed' } as const;
  await metadata.db.transaction().execute((tx) => transition(tx, { publicUrl }, end));
}

async function logged(recordLogs: RecordLogStore, execution: Execution): Promise<{ step: number }[]> {
  const files = await listRecordLogs(metadata.db, execution.id, 'records');
  const texts = await Promise.all(
    files.map(async ({ filename }) =>
      text(await openRecordLog(deps(recordLogs), execution, 'records', filename)),
    ),
  );
  return texts.flatMap((one) => JSON.parse(one) as { step: number }[]);
}

const steps = (count: number) => Array.from({ length: count }, (_, index) => ({ step: index + 1 }));
const entries = (from: number, to: number) =>
  steps(to)
    .slice(from - 1)
    .map((one) => JSON.stringify(one));

/** Executions are swept a minute after their end. */
async function sweepNow(recordLogs: RecordLogStore): Promise<void> {
  await metadata.db
    .updateTable('record_log_sweeps')
    .set({ due_at: new Date(0) })
    .execute();
  await removeExpired(deps(recordLogs), keep);
}

function nothingThere(error: NodeJS.ErrnoException): string[] {
  if (error.code !== 'ENOENT') throw error;
  return [];
}

async function stored(execution: Execution): Promise<string[]> {
  const local = await readdir(path.join(folder, execution.organizationId, execution.id)).catch(nothingThere);
  return [...local, ...(await s3.keys(`logs/${execution.organizationId}/${execution.id}/`))];
}

test('in a bucket every commit adds a part, files are bounded, and other servers read them, too', async () => {
  const { recordLogs, close } = storeAt('s3://lake/logs/');
  const execution = await start();
  const singles = Array.from({ length: 20 }, (_, index) => entries(10_002 + index, 10_002 + index));
  await run(recordLogs, execution, [entries(1, 3), entries(4, 10_001), ...singles]);
  const files = await listRecordLogs(metadata.db, execution.id, 'records');
  expect(files.map(({ parts, closed }) => ({ parts, closed }))).toEqual([
    { parts: 2, closed: true },
    { parts: 21, closed: false },
  ]);
  expect(await stored(execution)).toHaveLength(23);
  const other = storeAt('s3://lake/logs');
  expect(await logged(other.recordLogs, execution)).toEqual(steps(10_021));
  // One whose own logs are elsewhere knows no bucket.
  await expect(logged(storeAt(folder).recordLogs, execution)).rejects.toMatchObject({ key: 'not_found' });
  await sweepNow(recordLogs);
  expect(await stored(execution)).toHaveLength(23);
  await Promise.all([close(), other.close()]);
});

test('kill -9 between a part and its commit: nothing is lost or read twice, and the orphan goes', async () => {
  const { recordLogs, close } = storeAt('s3://lake/logs');
  const execution = await start(12);
  const first = spawnWorker();
  let puts = 0;
  // The part is stored all the same: only its writer does not live to commit it.
  s3.behave(({ method }) => {
    if (method === 'PUT' && ++puts === 7) first.kill('SIGKILL');
    return undefined;
  });
  await once(first, 'exit');
  await until(async () => (await stored(execution)).length === 7);
  expect(await logged(recordLogs, execution)).toEqual(steps(6));
  await metadata.db
    .updateTable('executions')
    .set({ status: 'queued' })
    .where('id', '=', execution.id)
    .execute();
  await run(recordLogs, execution, [entries(7, 9), entries(10, 12)]);
  expect(await logged(recordLogs, execution)).toEqual(steps(12));
  expect(await stored(execution)).toHaveLength(9);
  await sweepNow(recordLogs);
  expect(await stored(execution)).toHaveLength(8);
  expect(await logged(recordLogs, execution)).toEqual(steps(12));
  await close();
});

test('what is logged is not lost for a store that is away for a moment; one that stays away ends the run', async () => {
  const { recordLogs, close } = storeAt('s3://lake/logs');
  const execution = await start();
  let refusals = 2;
  s3.behave(() => (refusals-- > 0 ? 503 : undefined));
  await run(recordLogs, execution, [entries(1, 2)]);
  expect(await logged(recordLogs, execution)).toEqual(steps(2));
  s3.behave(() => 503);
  await expect(run(recordLogs, await start(), [entries(1, 2)])).rejects.toThrow(
    /^The record logs could not be written: .*127\.0\.0\.1/,
  );
  await close();
});

test('a commit whose logs were written in part leaves no trace in those that follow', async () => {
  const { recordLogs } = storeAt(folder);
  let appends = 0;
  const failing: RecordLogStore = {
    ...recordLogs,
    async create(located, filename) {
      const log = await folderLogs(folder).create(located, filename);
      return {
        ...log,
        async append(text) {
          if (++appends !== 2) return log.append(text);
          await log.append(text.slice(0, 7));
          throw new Error('no space left on device');
        },
      };
    },
  };
  const execution = await start();
  const claimed = await claimExecution({ ...deps(failing), workerId: crypto.randomUUID() }, execution.id);
  if (claimed === undefined) throw new Error('not claimed');
  // As a bulk run does, in which another table goes on.
  const { run: going, close } = createRun(deps(failing), claimed);
  const commit = (n: number) => {
    going.recordLog('records', JSON.stringify({ step: n }));
    return going.commit({ counts: { total: 1 } });
  };
  await commit(1);
  await expect(commit(2)).rejects.toThrow('The record logs could not be written: no space left on device');
  await commit(3);
  await close();
  expect(await logged(recordLogs, execution)).toEqual([{ step: 1 }, { step: 3 }]);
});

test('kept long enough, the logs are removed and readers are told so; a file from before the bucket, too', async () => {
  const before = storeAt(folder);
  const { recordLogs, close } = storeAt('s3://lake/logs');
  const [local, remote, young] = [await start(), await start(), await start()];
  await run(before.recordLogs, local, [entries(1, 3)]);
  for (const one of [remote, young]) await run(recordLogs, one, [entries(1, 3)]);
  for (const one of [local, remote]) {
    expect(await logged(recordLogs, one)).toEqual(steps(3));
    await age(one, 31);
  }
  await removeExpired(deps(recordLogs), { recordLogDays: 30, executionDays: 0 });
  await sweepNow(recordLogs);
  for (const one of [local, remote]) {
    expect(await stored(one)).toEqual([]);
    await expect(listRecordLogs(metadata.db, one.id)).rejects.toThrow(
      /record logs of execution .* were removed/,
    );
    const { organizationId, syncId, id } = one;
    expect((await getExecution(metadata.db, organizationId, syncId, id)).counts).toEqual({ total: 3 });
  }
  expect(await logged(recordLogs, young)).toEqual(steps(3));
  await close();
});

test('the logs go with whatever they belong to: a sync, an organization', async () => {
  const { recordLogs, close } = storeAt('s3://lake/logs');
  const [ofSync, ofOrganization] = [await start(), await start()];
  for (const one of [ofSync, ofOrganization]) await run(recordLogs, one, [entries(1, 3)]);
  await deleteExecutions(deps(recordLogs), ofSync.organizationId, ofSync.syncId);
  await metadata.db.deleteFrom('organizations').where('id', '=', ofOrganization.organizationId).execute();
  expect(await stored(ofSync)).toHaveLength(1);
  await sweepNow(recordLogs);
  expect([...(await stored(ofSync)), ...(await stored(ofOrganization))]).toEqual([]);
  await close();
});

test('an execution that is deleted while its files are looked through is swept once more', async () => {
  const { recordLogs, close } = storeAt(folder);
  const one = await start();
  await run(recordLogs, one, [entries(1, 3)]);
  await sweepNow({
    ...recordLogs,
    async sweep(execution, kept) {
      await recordLogs.sweep(execution, kept);
      if (execution.id === one.id) await deleteExecutions(deps(recordLogs), one.organizationId, one.syncId);
    },
  });
  expect(await stored(one)).toHaveLength(1);
  await sweepNow(recordLogs);
  expect(await stored(one)).toEqual([]);
  await close();
});

test('executions are removed by age, but for the last of a sync and what has not ended', async () => {
  const { recordLogs } = storeAt(folder);
  const syncId = crypto.randomUUID();
  const old: Execution[] = [];
  for (let n = 0; n < 3; n++) {
    const execution = await start(1, syncId);
    await run(recordLogs, execution, [entries(1, 1)]);
    await age(execution, 40 - n);
    old.push(execution);
  }
  const running = await start(1, syncId);
  await removeExpired(deps(recordLogs), { recordLogDays: 0, executionDays: 30 });
  const rows = await metadata.db
    .selectFrom('executions')
    .select('id')
    .where('sync_id', '=', syncId)
    .execute();
  expect(rows.map(({ id }) => id).sort()).toEqual([old[2]?.id, running.id].sort());
  await sweepNow(recordLogs);
  const left = await Promise.all(old.map(async (one) => (await stored(one)).length));
  expect(left).toEqual([0, 0, 1]);
});

test('off: nothing is recorded', async () => {
  const { recordLogs } = storeAt('off');
  const execution = await start();
  await run(recordLogs, execution, [entries(1, 3)]);
  expect(await listRecordLogs(metadata.db, execution.id)).toEqual([]);
  expect(await stored(execution)).toEqual([]);
});

async function age({ id }: Execution, days: number): Promise<void> {
  const completed_at = new Date(Date.now() - days * 86_400_000);
  await metadata.db.updateTable('executions').set({ completed_at }).where('id', '=', id).execute();
}

function spawnWorker(): ChildProcess {
  const fixture = path.join(import.meta.dirname, 'worker.fixture.ts');
  return spawn(process.execPath, [fixture, crypto.randomUUID()], {
    env: {
      ...inherited(),
      ...environment('s3://lake/logs'),
      DATABASE_URL: metadata.url,
      PAUSE: 'no',
    },
    stdio: 'inherit',
  });
}
