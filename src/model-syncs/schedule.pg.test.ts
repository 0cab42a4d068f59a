import { sql } from 'kysely';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import type { Model } from '../models/index.ts';
import { type Starter, startDue } from '../schedules/start-due.ts';
import type { Schedule } from '../schema/schedule.ts';
import {
  activateModelSync,
  getModelSync,
  type ModelSync,
  modelSyncStatus,
  startScheduledModelSync,
} from './index.ts';

let world: ModelSyncs;
let model: Model;
beforeAll(async () => {
  world = await startModelSyncs();
  await world.source.query('create table people (id int primary key); insert into people values (1), (2)');
  await world.target.query('create table contacts (id int primary key)');
  model = await world.createModel({ table: 'public.people' });
});
afterAll(() => world[Symbol.asyncDispose]());

const settings = (schedule: Schedule, active = false) => ({
  model,
  mode: 'append' as const,
  fields: ['id'],
  schedule,
  active,
});
const create = (schedule: Schedule, active?: boolean) => world.createSync(settings(schedule, active));
const next = async (sync: ModelSync) => (await modelSyncStatus(world.db, world.organizationId, sync.id)).next;

test('a schedule is kept with the sync, and starts it while it is active', async () => {
  const daily = { frequency: 'daily', hour: '05', minute: '30' } as const;
  const sync = await create(daily);
  expect(sync.schedule).toEqual(daily);
  expect((await getModelSync(world.db, world.organizationId, sync.id)).schedule).toEqual(daily);
  expect(await next(sync)).toBeNull();
  await activateModelSync(world.deps, world.organizationId, world.actor, sync.id, true);
  expect(await next(sync)).toMatch(/T05:30:00\.000000Z$/);

  await sql`update schedules set next_run_at = now() - interval '2 days' where sync_id = ${sync.id}`.execute(
    world.db,
  );
  const starter: Starter = (tx, schedule) => startScheduledModelSync({ db: tx, jobs: world.jobs }, schedule);
  const deps = { db: world.db, log: pino({ level: 'silent' }) };
  while (await startDue(deps, { model: starter, bulk: starter }));
  const { current, next: at } = await modelSyncStatus(world.db, world.organizationId, sync.id);
  expect(current?.trigger).toBe('scheduled');
  expect(at).toMatch(/T05:30:00\.000000Z$/);
  const executed = await world.run(sync, current?.id ?? '');
  expect(executed).toMatchObject({ outcome: { status: 'completed' }, counts: { insert: 2 } });

  const updated = await world.updateSync(sync.id, settings({}, true));
  expect(updated.schedule).toEqual({ frequency: 'manual' });
  expect(await next(sync)).toBeNull();
});

test('runafter: the listed syncs must exist, and must not come back to this one', async () => {
  const first = await create({});
  const after = (sync_ids: string[], bulk_sync_ids: string[] = []) =>
    ({ frequency: 'runafter', run_after: { sync_ids, bulk_sync_ids } }) as const;
  const second = await create(after([first.id]), true);
  expect(second.schedule).toEqual({ ...after([first.id]), run_after_success_only: false });
  expect(await next(second)).toBeNull();
  const refused = (schedule: Schedule, id?: string) =>
    id === undefined ? create(schedule) : world.updateSync(id, settings(schedule));
  const invalid = (field: string, reason: RegExp) =>
    expect.objectContaining({ metadata: { field, reason: expect.stringMatching(reason) } });
  await expect(refused({ frequency: 'runafter' })).rejects.toEqual(
    invalid('schedule.run_after', /^is needed for runafter/),
  );
  await expect(refused(after([], [first.id]))).rejects.toEqual(
    invalid('schedule.run_after.bulk_sync_ids', /^no bulk sync with id/),
  );
  await expect(refused(after([first.id, 'nope']))).rejects.toEqual(
    invalid('schedule.run_after.sync_ids', /^no model sync with id nope exists/),
  );
  const third = await create(after([second.id]));
  for (const chain of [[first.id], [third.id]]) {
    await expect(refused(after(chain), first.id)).rejects.toEqual(
      invalid('schedule.run_after.sync_ids', /^come back to this sync/),
    );
  }
  await expect(refused({ frequency: 'weekly', hour: '05' })).rejects.toEqual(
    invalid('schedule.day_of_week', /^is needed for weekly/),
  );
});
