import { sql } from 'kysely';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BulkApi, bulkApi } from '../../../test/support/bulk-api.ts';
import { startScheduledBulkSync } from '../../bulk-syncs/index.ts';
import { startScheduler } from '../../schedules/index.ts';
import { type Starter, startDue } from '../../schedules/start-due.ts';

let api: BulkApi;
beforeAll(async () => {
  api = await bulkApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const log = pino({ level: 'silent' });
const starter: Starter = (tx, schedule) =>
  startScheduledBulkSync({ db: tx, jobs: api.harness.jobs }, schedule);
const starters = { model: starter, bulk: starter };

const daily = { frequency: 'daily', hour: '05', minute: '00' };
const list = async (sync: string) => (await api.call('GET', `/bulk/syncs/${sync}/schedules`)).data;

test('single schedules are those of the sync: create, get, update, delete', async () => {
  const sync = await api.create({ default_schedule: daily, active: true });
  const path = `/bulk/syncs/${sync}/schedules`;
  const weekly = { frequency: 'weekly', dayOfWeek: 'monday', selectiveMode: 'incrementalFields' };
  const created = await api.call('POST', path, { schedule: weekly });
  expect(created.data).toEqual({
    ...weekly,
    id: expect.any(String),
    syncId: sync,
    isDefault: false,
    syncMode: 'normal',
    schemas: [],
    createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
    createdBy: 'admin@localhost',
    updatedAt: expect.any(String),
    updatedBy: 'admin@localhost',
  });
  const { id } = created.data;
  expect(await list(sync)).toMatchObject([
    { ...daily, isDefault: true },
    { id, isDefault: false },
  ]);
  expect((await api.call('GET', `/bulk/syncs/${sync}`)).data).toMatchObject({
    default_schedule: daily,
    additional_schedules: [
      { id, frequency: 'weekly', day_of_week: 'monday', selective_mode: 'incrementalFields', schemas: [] },
    ],
  });

  // What clients of these operations have no member for is not lost by an update.
  const additional = {
    id,
    frequency: 'hourly',
    minute: '15',
    schemas: ['public.users'],
    resync_mode: 'rebuild',
  };
  await api.call(
    'PUT',
    `/bulk/syncs/${sync}`,
    api.request({ default_schedule: daily, additional_schedules: [additional] }),
  );
  const updated = await api.call('PUT', `${path}/${id}`, { schedule: { frequency: 'hourly', minute: '45' } });
  expect(updated.data).toMatchObject({
    id,
    minute: '45',
    selectiveMode: 'none',
    schemas: ['public.users'],
    syncMode: 'rebuild',
  });
  expect((await api.call('GET', `${path}/${id}`)).data).toEqual(updated.data);

  const [first] = await list(sync);
  await api.call('PUT', `${path}/${first.id}`, { schedule: { frequency: 'hourly' } });
  const read = (await api.call('GET', `/bulk/syncs/${sync}`)).data;
  expect(read.default_schedule).toMatchObject({ id: first.id, frequency: 'hourly' });
  expect(read.default_schedule).not.toHaveProperty('hour');

  expect((await api.call('DELETE', `${path}/${id}`)).status).toBe(200);
  expect((await api.call('GET', `${path}/${id}`)).status).toBe(404);
  const kept = await api.call('DELETE', `${path}/${first.id}`);
  expect([kept.status, kept.body.message]).toEqual([400, expect.stringContaining('frequency to manual')]);
  expect((await api.call('GET', `/bulk/syncs/${sync}`)).data.additional_schedules).toEqual([]);
});

test('clients of before 2025-09-18 change the default schedule and leave the others', async () => {
  const additional_schedules = [{ frequency: 'hourly', schemas: ['public.orders'] }];
  const sync = await api.create({ default_schedule: daily, additional_schedules });
  const schedule = { frequency: 'weekly', day_of_week: 'sunday' };
  await api.call('PUT', `/bulk/syncs/${sync}`, api.request({ schedule }), '2024-02-08');
  expect((await api.call('GET', `/bulk/syncs/${sync}`, undefined, '2025-09-18')).data).toMatchObject({
    default_schedule: schedule,
    additional_schedules,
  });
});

test('what is wrong is named as the request has it', async () => {
  const refused = async (more: object) => {
    const { status, body } = await api.call('POST', '/bulk/syncs', api.request(more));
    return [status, body.metadata.field];
  };
  expect(await refused({ default_schedule: { frequency: 'daily', hour: '24' } })).toEqual([
    400,
    'default_schedule.hour',
  ]);
  expect(await refused({ schedule: { frequency: 'multi', multi: {} } })).toEqual([400, 'schedule.frequency']);
  expect(await refused({ default_schedule: { frequency: 'runafter' } })).toEqual([
    400,
    'default_schedule.frequency',
  ]);
  const other = { frequency: 'hourly', schemas: ['public.nothing'] };
  expect(await refused({ additional_schedules: [{ frequency: 'weekly' }] })).toEqual([
    400,
    'additional_schedules.0.day_of_week',
  ]);
  expect(await refused({ additional_schedules: [daily, other] })).toEqual([
    400,
    'additional_schedules.1.schemas',
  ]);

  const path = `/bulk/syncs/${await api.create()}/schedules`;
  const wrong = await api.call('POST', path, { schedule: { frequency: 'weekly', dayOfWeek: 'noday' } });
  expect(wrong.body).toMatchObject({ status: 400, metadata: { field: 'schedule.dayOfWeek' } });
  const [first] = (await api.call('GET', path)).data;
  const narrowed = { schedule: { ...daily, selectiveMode: 'incrementalFields' } };
  const kept = await api.call('PUT', `${path}/${first.id}`, narrowed);
  expect(kept.body).toMatchObject({ status: 400, metadata: { field: 'schedule.selectiveMode' } });
  expect((await api.call('GET', `${path}/nope`)).status).toBe(404);
});

test('only an active sync has a next execution time, the same wherever it is shown', async () => {
  const schedules = {
    default_schedule: daily,
    additional_schedules: [{ frequency: 'hourly', minute: '30' }],
  };
  const sync = await api.create(schedules);
  const times = async () => {
    const { data } = await api.call('GET', `/bulk/syncs/${sync}/status`);
    const listed = await api.call('GET', `/bulk/syncs/status?sync_id=${sync}`);
    expect(listed.data[0].nextExecutionTime).toBe(data.next_execution_time);
    return data.next_execution_time;
  };
  expect(await times()).toBeNull();
  await api.call('POST', `/bulk/syncs/${sync}/activate`, { active: true });
  expect(await times()).toMatch(/:30:00\.000000Z$/);
  await api.call('PUT', `/bulk/syncs/${sync}`, api.request({ active: true, default_schedule: daily }));
  expect(await times()).toMatch(/T05:00:00\.000000Z$/);
  await api.call('POST', `/bulk/syncs/${sync}/activate`, { active: false });
  expect(await times()).toBeNull();
  await api.call('DELETE', `/bulk/syncs/${sync}`);
  const left = await api.harness.db
    .selectFrom('schedules')
    .select('id')
    .where('sync_id', '=', sync)
    .execute();
  expect(left).toEqual([]);
});

test('each schedule starts the schemas that it is for', async () => {
  const sync = await api.create({
    active: true,
    default_schedule: daily,
    schemas: ['public.users', { id: 'public.orders', tracking_field: 'id' }],
    automatically_add_new_objects: 'all',
    additional_schedules: [
      { frequency: 'daily', selective_mode: 'incrementalFields' },
      { frequency: 'daily', resync_mode: 'rebuild' },
    ],
  });
  const { harness } = api;
  const run = async (index: number) => {
    const schedule = (await list(sync))[index];
    await harness.db
      .updateTable('schedules')
      .set({ next_run_at: '2024-01-01T00:00:00Z' })
      .where('id', '=', schedule.id)
      .execute();
    expect(await startDue({ db: harness.db, log }, starters)).toBe(true);
    const { data } = await api.call('GET', `/bulk/syncs/${sync}/executions`);
    const [{ id, type, is_partial, is_resync }] = data;
    await harness.run(id);
    const schemas = (await harness.schemas(id)).map(({ schema_id }) => schema_id);
    return { type, is_partial, is_resync, schemas };
  };
  const scheduled = { type: 'scheduled', is_partial: true, is_resync: false };
  expect(await run(1)).toEqual({ ...scheduled, schemas: ['public.orders'] });
  expect(await run(2)).toEqual({
    type: 'scheduled',
    is_partial: false,
    is_resync: true,
    schemas: ['public.orders', 'public.users'],
  });
  // What turns up in the source has no tracking field, so it belongs to the default schedule.
  await api.shop.query('create table added (id int primary key)');
  expect(await run(0)).toEqual({ ...scheduled, schemas: ['public.added', 'public.users'] });
});

test('what is deleted does not start once more because its execution has ended', async () => {
  const { db, url } = api.harness;
  const sync = await api.create({ active: true, default_schedule: daily });
  await api.call('POST', `/bulk/syncs/${sync}/executions`);
  // A resync: an ordinary execution does not take its place, so it waits for the end.
  await db
    .updateTable('schedules')
    .set({ next_run_at: sql`'2024-01-01'`, settings: '{"frequency":"continuous","resync_mode":"rebuild"}' })
    .where('sync_id', '=', sync)
    .execute();
  const scheduler = await startScheduler({ db, databaseUrl: url, log }, starters);
  expect((await api.call('DELETE', `/bulk/syncs/${sync}`)).status).toBe(200);
  await scheduler.stop();
  expect(await db.selectFrom('executions').select('id').where('sync_id', '=', sync).execute()).toEqual([]);
});
