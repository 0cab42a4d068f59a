import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../test/support/app.ts';
import { createRun, removeExpired, startExecution } from '../executions/index.ts';
import { buildApp } from './index.ts';

let api: TestApp;

beforeAll(async () => {
  api = await startTestApp();
});
afterAll(() => api[Symbol.asyncDispose]());

/** An execution that has ended and logged one record. Returns the path of its resource. */
async function execution(): Promise<{ id: string; base: string }> {
  const { db } = api.deps;
  const started = await startExecution(api.deps, {
    organizationId: api.first.organizationId,
    kind: 'model',
    syncId: crypto.randomUUID(),
    trigger: 'manual',
    options: {},
    subject: { sync_name: 'Test', target_connection_id: crypto.randomUUID() },
  });
  const { id } = started;
  const claim = crypto.randomUUID();
  await db.updateTable('executions').set({ claim }).where('id', '=', id).execute();
  const { run, close } = createRun(api.deps, { execution: started, claim });
  run.recordLog(['records', 'inserts'], '{"id":1}');
  await run.commit({ counts: { total: 1, insert: 1 } });
  await close();
  const ended = { status: 'completed', completed_at: new Date(Date.now() - 86_400_000 * 2) };
  await db.updateTable('executions').set(ended).where('id', '=', id).execute();
  return { id, base: `/api/syncs/${started.syncId}/executions/${id}` };
}

test('a signed link works at every server with the same key, for what it was signed for', async () => {
  const { base } = await execution();
  const listed = await api.request(api.first.apiKey, 'GET', `${base}/inserts`);
  const { data } = listed.body as { data: { expires: string; urls: string[] } };
  const [url = ''] = data.urls;
  const link = url.slice(api.deps.publicUrl.length);
  const lifetime = Date.parse(data.expires) - Date.now();
  expect(lifetime).toBeGreaterThan(14 * 60_000);
  expect(lifetime).toBeLessThan(16 * 60_000);

  const other = buildApp(api.deps);
  const answer = await other.inject({ method: 'GET', url: link });
  expect([answer.statusCode, answer.json()]).toEqual([200, [{ id: 1 }]]);
  const changed = await other.inject({ method: 'GET', url: link.replace('/inserts/', '/records/') });
  expect(changed.statusCode).toBe(403);
  await other.close();
});

test('removed logs: the list and the file say that they were there and why they are not', async () => {
  const { id, base } = await execution();
  const listed = await api.request(api.first.apiKey, 'GET', `${base}/records`);
  const [url = ''] = (listed.body as { data: { urls: string[] } }).data.urls;
  await removeExpired(api.deps, { recordLogDays: 1, executionDays: 0 });
  for (const path of [`${base}/records`, `${base}/errors`, url.slice(api.deps.publicUrl.length)]) {
    const { status, body } = await api.request(api.first.apiKey, 'GET', path);
    expect([status, body]).toEqual([404, expect.objectContaining({ key: 'record_logs_removed' })]);
    expect((body as { message: string }).message).toMatch(
      new RegExp(`${id} were removed at 2.*TIDEMARK_RECORD_LOG_RETENTION_DAYS`),
    );
  }
});
