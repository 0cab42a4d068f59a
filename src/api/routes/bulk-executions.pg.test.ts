import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BulkApi, bulkApi } from '../../../test/support/bulk-api.ts';

let api: BulkApi;
beforeAll(async () => {
  api = await bulkApi();
});
afterAll(() => api[Symbol.asyncDispose]());

test('an execution from start to end: shapes, status, paging, console', async () => {
  await api.shop.query('analyze users');
  const id = await api.create({ destination_configuration: { schema: 'ends' } });
  expect((await api.call('GET', `/bulk/syncs/${id}/status`)).data).toEqual({ next_execution_time: null });
  const started = await api.call('POST', `/bulk/syncs/${id}/executions`);
  expect(started.data).toMatchObject({
    status: 'scheduled',
    type: 'manual',
    is_partial: false,
    is_resync: false,
    is_test: false,
    record_count: 0,
    completed_at: null,
    schemas: [
      { schema: 'public.orders', output_name: 'orders', status: 'created' },
      { schema: 'public.users' },
    ],
  });
  const again = await api.call('POST', `/bulk/syncs/${id}/executions`, {});
  expect(again.body).toMatchObject({ status: 409, key: 'execution_running' });
  expect((await api.call('GET', `/bulk/syncs/${id}/status`)).data.current_execution.id).toBe(started.data.id);
  await api.harness.run(started.data.id);

  const path = `/bulk/syncs/${id}/executions/${started.data.id}`;
  const done = (await api.call('GET', path)).data;
  expect(done).toMatchObject({
    status: 'completed',
    record_count: 11,
    error_count: 0,
    output_disposition: 'retain',
  });
  expect(done.schemas).toMatchObject([
    { schema: 'public.orders', status: 'completed', record_count: 1, completed_at: expect.any(String) },
    { schema: 'public.users', status: 'completed', record_count: 10, estimated_record_count: 10 },
  ]);
  expect(done.schemas[1].byte_count).toBeGreaterThan(100);
  expect(await api.warehouse.query('select first_name from ends.users where id = 3')).toEqual([
    { first_name: 'n3' },
  ]);
  const status = (await api.call('GET', `/bulk/syncs/${id}/status`)).data;
  expect(status.current_execution).toBeUndefined();
  expect(status.last_execution).toEqual(done);

  const second = (
    await api.call(
      'POST',
      `/bulk/syncs/${id}/executions`,
      { schemas: ['public.users'], resync: true },
      '2024-02-08',
    )
  ).data;
  expect(second).toMatchObject({ is_partial: true, is_resync: true, schemas: [{ schema: 'public.users' }] });
  const first = await api.call('GET', `/bulk/syncs/${id}/executions?limit=1`);
  expect(first.data.map((one: { id: string }) => one.id)).toEqual([second.id]);
  const token = first.body.pagination.next_page_token;
  expect((await api.call('GET', `/bulk/syncs/${id}/executions?page_token=damaged`)).status).toBe(400);
  const next = await api.call('GET', `/bulk/syncs/${id}/executions?limit=1&page_token=${token}`);
  expect(next.data).toEqual([done]);
  expect(next.body.pagination).toEqual({});

  const [line] = (await api.call('GET', `${path}/consolelog`)).data.entries;
  expect(line).toMatchObject({ level: 'info', message: 'Schemas to do: 2', timestamp: expect.any(String) });
  const ofSchema = (await api.call('GET', `${path}/schemas/public.users/consolelog`)).data.entries;
  expect(ofSchema.map(({ message }: { message: string }) => message)).toEqual([
    expect.stringMatching(
      /^Loading about 10 records with 3 fields into ends\.users; every record is read because it has no tracking field$/,
    ),
    expect.stringMatching(/^Completed: 10 records/),
  ]);
  const logs = (await api.call('GET', `${path}/logs`)).data;
  expect(logs).toEqual({ URLs: [expect.stringContaining('/records/log')], Expires: expect.any(String) });
  const exported = await api.call('POST', `${path}/logs/export`);
  expect(exported.body).toMatchObject({
    data: { url: expect.stringContaining('/logs/export?') },
    job: { job_id: done.id, type: 'exportlogs', status: 'done', result: { url: expect.any(String) } },
  });
  const { pathname, search } = new URL(exported.data.url);
  const download = await api.anonymous(`${pathname}${search}`);
  expect(download.body).toEqual({
    records: [
      expect.arrayContaining([
        expect.objectContaining({ schema: 'public.users', output: 'users', records: 10 }),
      ]),
    ],
  });
  expect((await api.anonymous(`${pathname}${search}x`)).status).toBe(403);
  expect((await api.call('GET', `/jobs/exportlogs/${done.id}`)).data.status).toBe('done');
  expect((await api.call('GET', `/jobs/exportlogs/${crypto.randomUUID()}`)).status).toBe(404);
  expect((await api.call('GET', `/jobs/nonsense/${done.id}`)).status).toBe(400);

  const list = await api.call('GET', `/bulk/syncs/status?sync_id=${id}`);
  expect(list.data).toEqual([
    {
      sync_id: id,
      status: 'scheduled',
      nextExecutionTime: null,
      schemas: [
        expect.objectContaining({
          schema: 'public.orders',
          status: 'completed',
          execution_id: done.id,
          byte_count: done.schemas[0].byte_count,
          estimated_record_count: null,
        }),
        expect.objectContaining({ schema: 'public.users', status: 'created', execution_id: second.id }),
      ],
    },
  ]);
  expect((await api.call('GET', `/bulk/syncs/status?sync_id=${crypto.randomUUID()}`)).status).toBe(404);

  const canceled = await api.call('POST', `/bulk/syncs/${id}/executions/${second.id}/cancel`);
  expect(canceled.data.message).toContain('canceled');
  expect((await api.call('GET', `/bulk/syncs/${id}/executions/${second.id}`)).data).toMatchObject({
    status: 'canceled',
    schemas: [{ status: 'canceled' }],
  });
});

test('turning a sync off cancels what runs; deleting it deletes its history', async () => {
  const id = await api.create();
  expect((await api.call('POST', `/bulk/syncs/${id}/activate`, { active: true })).data).toEqual({
    id,
    active: true,
  });
  const { data } = await api.call('POST', `/bulk/syncs/${id}/executions`);
  expect(
    (await api.call('GET', '/bulk/syncs?active=true')).data.map((sync: { id: string }) => sync.id),
  ).toEqual([id]);
  await api.call('POST', `/bulk/syncs/${id}/activate`, { active: false });
  expect((await api.call('GET', `/bulk/syncs/${id}/executions/${data.id}`)).data.status).toBe('canceled');
  expect((await api.call('POST', `/bulk/syncs/${id}/cancel`)).data).toEqual({
    message: 'nothing is running',
  });
  const removed = await api.call('DELETE', `/bulk/syncs/${id}?refresh_schemas=true`);
  expect(removed).toMatchObject({ status: 200, body: undefined });
  expect((await api.call('GET', `/bulk/syncs/${id}`)).status).toBe(404);
  expect((await api.call('GET', `/bulk/syncs/${id}/executions/${data.id}`)).status).toBe(404);
});

test('starts are refused with a reason', async () => {
  const id = await api.create();
  const start = (body: object) => api.call('POST', `/bulk/syncs/${id}/executions`, body);
  expect((await start({ schemas: ['public.nope'] })).body.message).toContain(
    'public.nope is no schema of this bulk sync',
  );
  expect((await start({ test: true, resync_mode: 'rebuild' })).body).toMatchObject({ status: 400 });
  expect((await start({ resync_mode: 'everything' })).body).toMatchObject({ status: 400 });
  await api.call('PATCH', `/bulk/syncs/${id}/schemas`, {
    schemas: [
      { id: 'public.users', enabled: false },
      { id: 'public.orders', enabled: false },
    ],
  });
  expect((await start({})).body.message).toContain('No schema of this bulk sync is enabled');
});
