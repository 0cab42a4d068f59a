import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import type { Run } from '../executions/index.ts';
import { deleteModelSync, type ModelSync } from './index.ts';

let world: ModelSyncs;
let sync: ModelSync;

beforeAll(async () => {
  world = await startModelSyncs();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  await world.source.query(`drop table if exists logins; create table logins (id int primary key, name text);
    insert into logins select n, 'l' || n from generate_series(1, 5000) n`);
  await world.target.query(`drop table if exists log; create table log (id int, name text)`);
  sync = await world.createSync({
    model: await world.createModel({ table: 'public.logins' }, 'id'),
    mode: 'append',
    object: 'public.log',
    fields: ['id', 'name'],
  });
});

/** Whether a commit reports what the destination said, and not only that it is about to. */
const reports = (progress: Parameters<Run['commit']>[0]) => (progress.counts?.insert ?? 0) > 0;

/** As a worker that dies between the destination's commit and ours: the nth report never gets through. */
const dieAtReport =
  (n: number) =>
  (run: Run): Run => {
    let seen = 0;
    return {
      ...run,
      async commit(progress, work) {
        if (reports(progress) && ++seen === n) throw new Error('killed');
        await run.commit(progress, work);
      },
    };
  };

/** As a worker that dies after the destination has applied a batch, before it commits. */
const dieBeforeDestinationCommits = (run: Run): Run => {
  let planned = false;
  return {
    ...run,
    async commit(progress, work) {
      await run.commit(progress, work);
      if (planned && !reports(progress)) throw new Error('killed');
      planned ||= progress.checkpoint !== undefined;
    },
  };
};

const rows = () =>
  world.target.query<{ rows: string; ids: string }>(
    'select count(*) as rows, count(distinct id) as ids from log',
  );

test('warnings of a batch that was taken over are told once', async () => {
  // 32 of them have one digit and zeros.
  await world.source.query(`update logins set name = '1.' || id`);
  await world.target.query('drop table log; create table log (id int, name numeric(10,1))');
  const id = await world.start(sync);
  await world.run(sync, id, dieAtReport(1));
  const taken = await world.run(sync, id);
  expect(taken.counts).toMatchObject({ insert: 5000, warnings: 4968 });
  expect(await world.log(id, 'warnings')).toHaveLength(4968);
});

test.each([1, 2])('killed between the two commits of batch %i: counted once, sent once', async (batch) => {
  const id = await world.start(sync);
  const killed = await world.run(sync, id, dieAtReport(batch));
  expect(killed.outcome).toMatchObject({ status: 'interrupted' });
  expect(Number((await rows())[0]?.rows)).toBeGreaterThan(killed.counts.insert ?? 0);

  const taken = await world.run(sync, id);
  expect(taken.outcome).toEqual({ status: 'completed' });
  expect(taken.counts).toMatchObject({ total: 5000, insert: 5000 });
  expect(await rows()).toEqual([{ rows: '5000', ids: '5000' }]);
  for (const type of ['records', 'inserts'] as const) {
    const ids = (await world.log(id, type)).map((entry) => (entry as { id: number }).id);
    expect(ids.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 5000 }, (_, n) => n + 1));
  }
  expect((await world.execute(sync)).counts).toMatchObject({ total: 0 });
});

test('more records than are asked for by key: the model is read as a whole, and again after a takeover', async () => {
  await world.source.query(`insert into logins select n, 'l' || n from generate_series(5001, 15000) n`);
  const id = await world.start(sync);
  expect((await world.run(sync, id, dieAtReport(2))).outcome).toMatchObject({ status: 'interrupted' });
  expect((await world.run(sync, id)).counts).toMatchObject({ total: 15_000, insert: 15_000 });
  expect(await rows()).toEqual([{ rows: '15000', ids: '15000' }]);
});

test('killed before the destination commits: the batch is sent again', async () => {
  const id = await world.start(sync);
  const killed = await world.run(sync, id, dieBeforeDestinationCommits);
  expect(killed.outcome).toMatchObject({ status: 'interrupted' });
  expect(await rows()).toEqual([{ rows: '0', ids: '0' }]);
  const taken = await world.run(sync, id);
  expect(taken.counts).toMatchObject({ total: 5000, insert: 5000 });
  expect(await rows()).toEqual([{ rows: '5000', ids: '5000' }]);
});

test('given up between the two commits: the next execution does not send what had arrived', async () => {
  const id = await world.start(sync);
  await world.run(sync, id, dieAtReport(1));
  await world.db.updateTable('executions').set({ status: 'failed' }).where('id', '=', id).execute();
  const arrived = Number((await rows())[0]?.rows);
  const next = await world.execute(sync);
  expect(arrived).toBeGreaterThan(0);
  expect(next.counts).toMatchObject({ total: 5000 - arrived, insert: 5000 - arrived });
  expect(await rows()).toEqual([{ rows: '5000', ids: '5000' }]);
});

test('a sync edited while it runs changes the next execution, not what a takeover goes on with', async () => {
  const id = await world.start(sync);
  await world.run(sync, id, dieAtReport(2));
  await world.target.query('create table elsewhere (id int, name text)');
  const model = await world.createModel({ table: 'public.logins' }, 'id');
  await world.updateSync(sync.id, {
    model,
    mode: 'append',
    object: 'public.elsewhere',
    fields: ['id', 'name'],
  });
  await world.run(sync, id);
  expect(await rows()).toEqual([{ rows: '5000', ids: '5000' }]);
  expect(await world.target.query('select * from elsewhere')).toEqual([]);
  await world.target.query('drop table elsewhere');
});

test('a cancel stops at the next batch, and the next execution sends the rest', async () => {
  const id = await world.start(sync);
  const controller = new AbortController();
  const canceled = await world.run(sync, id, (run) => ({
    ...run,
    signal: controller.signal,
    async commit(progress, work) {
      await run.commit(progress, work);
      if (reports(progress)) controller.abort(new Error('canceled'));
    },
  }));
  expect(canceled.outcome).toMatchObject({ status: 'interrupted', error: { message: 'canceled' } });
  const sent = canceled.counts.insert ?? 0;
  expect(sent).toBeGreaterThan(0);
  expect(sent).toBeLessThan(5000);
  expect(await rows()).toEqual([{ rows: String(sent), ids: String(sent) }]);
  await world.db.updateTable('executions').set({ status: 'canceled' }).where('id', '=', id).execute();
  expect((await world.execute(sync)).counts).toMatchObject({ total: 5000 - sent, insert: 5000 - sent });
  expect(await rows()).toEqual([{ rows: '5000', ids: '5000' }]);
});

test('what is planned is delivered as it was read, also by a takeover', async () => {
  const id = await world.start(sync);
  await world.run(sync, id, dieAtReport(1));
  await world.source.query(
    `delete from logins where id > 4968; update logins set name = 'later' where id = 1`,
  );
  const taken = await world.run(sync, id);
  expect(taken.outcome).toEqual({ status: 'completed' });
  expect(taken.counts).toMatchObject({ total: 5000, insert: 5000 });
  expect(await world.target.query('select id from log where name = $1', ['l1'])).toEqual([{ id: 1 }]);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 1, insert: 1 });
});

/** A worker loses its claim as it begins to plan, and goes on while its successor stands still before a commit. */
test.each([
  ['has planned', 2],
  ['has begun to deliver', 4],
])('a worker that lost its claim drops nothing of the one that %s', async (_, commit) => {
  const id = await world.start(sync);
  const begun = Promise.withResolvers<void>();
  const [goesOn, late] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const first = world.run(sync, id, (run) => ({
    ...run,
    async commit(progress, work) {
      await run.commit(progress, work);
      begun.resolve();
      await goesOn.promise;
    },
  }));
  await begun.promise;
  let commits = 0;
  const second = world.run(sync, id, (run) => ({
    ...run,
    async commit(progress, work) {
      if (++commits === commit) {
        goesOn.resolve();
        await first;
        late.resolve();
      }
      await run.commit(progress, work);
    },
  }));
  await late.promise;
  expect((await first).outcome).toMatchObject({ status: 'interrupted', error: { reason: 'claim_lost' } });
  expect((await second).outcome).toEqual({ status: 'completed' });
  expect(await rows()).toEqual([{ rows: '5000', ids: '5000' }]);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 0 });
});

test('a worker that loses its claim when all is delivered leaves the plan to its successor', async () => {
  const id = await world.start(sync);
  let sent = 0;
  const successor = Promise.withResolvers<Awaited<ReturnType<typeof world.run>>>();
  const first = await world.run(sync, id, (run) => ({
    ...run,
    async commit(progress, work) {
      if (sent === 5000) successor.resolve(await world.run(sync, id));
      await run.commit(progress, work);
      sent += progress.counts?.insert ?? 0;
    },
  }));
  expect(first.outcome).toMatchObject({ status: 'interrupted', error: { reason: 'claim_lost' } });
  expect(await successor.promise).toMatchObject({
    outcome: { status: 'completed' },
    counts: { insert: 5000 },
  });
});

test('deleting a sync deletes what was remembered for it', async () => {
  await world.execute(sync);
  const { baseline } = await world.db
    .selectFrom('model_sync_baselines')
    .select('baseline')
    .where('sync_id', '=', sync.id)
    .executeTakeFirstOrThrow();
  const deps = { db: world.db, jobs: world.jobs, publicUrl: 'http://localhost' };
  await deleteModelSync(deps, world.organizationId, sync.id);
  for (const table of ['model_sync_baselines', 'model_sync_plans'] as const) {
    const left = await world.db.selectFrom(table).select('sync_id').where('sync_id', '=', sync.id).execute();
    expect(left).toEqual([]);
  }
  const { rows } = await sql<{ found: string | null }>`
    select to_regclass(${`model_sync_baseline_${baseline}`})::text as found`.execute(world.db);
  expect(rows).toEqual([{ found: null }]);
});
