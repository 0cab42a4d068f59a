import { once } from 'node:events';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { createMetadataDatabase, type MetadataDatabase } from '../../test/support/database.ts';
import { until } from '../../test/support/until.ts';
import { type Job, type Jobs, type Queue, startJobs } from './index.ts';

const queue: Queue = { name: 'tests', heartbeatSeconds: 10, expireInSeconds: 60, retryLimit: 10 };

let metadata: MetadataDatabase;
let sender: Jobs;

beforeEach(async () => {
  metadata = await createMetadataDatabase();
  sender = await startJobs(metadata.url, [queue], 'send', () => {});
});
afterEach(async () => {
  await sender.stop();
  await metadata[Symbol.asyncDispose]();
});

async function worker(settings = queue): Promise<Jobs> {
  const jobs = await startJobs(metadata.url, [settings], 'work', () => {});
  onTestFinished(() => jobs.stop(1000));
  return jobs;
}

interface Named {
  name: string;
}

/** Jobs that have been taken, oldest first, each held until it is let go. */
async function hold(
  jobs: Jobs,
  options: { concurrency: number; groupConcurrency?: number } = { concurrency: 4 },
) {
  const held: (Job<Named> & { letGo(): void })[] = [];
  await jobs.work<Named>(queue, options, (job) => {
    return new Promise<void>((letGo) => held.push(Object.assign(job, { letGo })));
  });
  return held;
}

const names = (jobs: { data: Named }[]) => jobs.map(({ data }) => data.name).sort();
const send = (...jobs: { name: string; group?: string }[]) =>
  sender.insert(
    metadata.db,
    queue,
    jobs.map(({ name, group }) => ({ data: { name }, ...(group === undefined ? {} : { group }) })),
  );

test('jobs exist if and only if their transaction commits', async () => {
  const held = await hold(await worker());
  const rolledBack = metadata.db.transaction().execute(async (tx) => {
    await sender.insert(tx, queue, [{ data: { name: 'never' } }]);
    throw new Error('no');
  });
  await expect(rolledBack).rejects.toThrow('no');
  await metadata.db.transaction().execute((tx) => sender.insert(tx, queue, [{ data: { name: 'once' } }]));
  await until(() => held.length > 0);
  expect(names(held)).toEqual(['once']);
  for (const job of held) job.letGo();
});

test('a released job is another worker’s at once, and what its first handler does is ignored', async () => {
  // Only the release hands it on: its heartbeat is missed in ten minutes at the earliest.
  const patient = { ...queue, heartbeatSeconds: 600, expireInSeconds: 3600 };
  const first = await worker(patient);
  // Its one place is taken: the other worker is the only one that can.
  const held = await hold(first, { concurrency: 1 });
  const [id = ''] = await send({ name: 'job' });
  await until(() => held.length === 1);
  const second = await hold(await worker(patient));

  await metadata.db.transaction().execute((tx) => sender.release(tx, queue, [id]));
  await until(() => second.length === 1);
  expect(second[0]?.retryCount).toBe(1);

  held[0]?.letGo();
  await first.offWork(queue);
  expect(await states()).toEqual(['active']);
  second[0]?.letGo();
  await until(async () => (await states())[0] === 'completed');
});

test('the handler of a job that was taken away is told within its heartbeat', async () => {
  const held = await hold(await worker());
  const [id = ''] = await send({ name: 'job' });
  await until(() => held.length === 1);
  const signal = held[0]?.signal;
  if (signal === undefined) throw new Error('no signal');
  const told = once(signal, 'abort');
  await sender.remove(metadata.db, queue, [id]);
  await told;
  held[0]?.letGo();
});

test('a group takes no more than its share of a worker', async () => {
  await send(...Array.from({ length: 5 }, (_, index) => ({ name: `big ${index}`, group: 'big' })));
  const held = await hold(await worker(), { concurrency: 4, groupConcurrency: 3 });
  await until(() => held.length === 3);
  await send({ name: 'small', group: 'small' });
  await until(() => held.length === 4);
  expect(held.map(({ data }) => data.name)).toContain('small');
  expect(held.filter(({ data }) => data.name.startsWith('big')).length).toBe(3);
  held[0]?.letGo();
  await until(() => held.length === 5);
  const rest = held.slice(1);
  for (const job of rest) job.letGo();
  await until(() => held.length === 6);
  held[5]?.letGo();
});

async function states(): Promise<string[]> {
  const rows = await metadata.query<{ state: string }>(
    `select state::text from tidemark_jobs.job where name = '${queue.name}'`,
  );
  return rows.map(({ state }) => state);
}
