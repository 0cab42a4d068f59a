import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type Tenant, type TestApp } from '../../test/support/app.ts';

interface Page {
  data: { id: string; created_at: string }[];
  pagination: { next_page_token?: string; has_more: boolean };
}

let api: TestApp;
let tenant: Tenant;
let ids: string[];
let second: string;

/** Bursts as a busy organization has them: more events in one second, and in one millisecond, than a page may hold. */
beforeAll(async () => {
  api = await startTestApp();
  tenant = await api.tenant('cursors');
  second = `${new Date(Date.now() - 3_600_000).toISOString().slice(0, 19)}`;
  await api.database.query(
    `insert into tidemark.events (organization_id, created_at, id, type, event)
     select $1, $2::timestamptz + micros * interval '1 microsecond', gen_random_uuid(), 'sync.running', '{}'
     from (select n * 3001 as micros from generate_series(0, 260) n
       union select 400000 + n from generate_series(1, 130) n
       union select n from unnest(array[999999, 1000000, 1000001, 1500000, 4000000, 4999999, 9000000]) n) times`,
    [tenant.organizationId, `${second}Z`],
  );
  const rows = await api.database.query<{ id: string }>(
    'select id from tidemark.events where organization_id = $1 order by created_at',
    [tenant.organizationId],
  );
  ids = rows.map(({ id }) => id);
});
afterAll(() => api[Symbol.asyncDispose]());

async function get(query: string): Promise<Page> {
  const { status, body } = await api.request(tenant.apiKey, 'GET', `/api/events?${query}`);
  expect(status, query).toBe(200);
  return body as Page;
}

/** As a client keeps it whose timestamps have so many digits. */
function cut(createdAt: string, digits: number): string {
  return `${createdAt.slice(0, digits === 0 ? 19 : 20 + digits)}Z`;
}

/** Everything a reader sees that keeps nothing but a cut cursor, and how often it asked. */
async function walk(digits: number, limit: number, from: string, bound: string): Promise<string[]> {
  const seen = new Set<string>();
  let cursor = from;
  for (let polls = 0; polls < 1000; polls++) {
    const { data, pagination } = await get(`limit=${limit}${cursor && `&${bound}=${cursor}`}`);
    for (const { id } of data) seen.add(id);
    if (!pagination.has_more) return [...seen];
    const next = cut(data.at(-1)?.created_at ?? '', digits);
    expect(next, 'the cursor stands still').not.toBe(cursor);
    cursor = next;
  }
  return expect.fail('no end');
}

const cases = [
  [0, 1],
  ...[0, 1, 3, 5, 6].flatMap((digits) => [10, 100].map((limit) => [digits, limit] as const)),
] as const;

test.each(cases)(
  'forward with a cursor of %i digits, %i at a time: every event, in order [P3]',
  async (digits, limit) => {
    expect(await walk(digits, limit, '2020-01-01T00:00:00Z', 'starting_after')).toEqual(ids);
  },
);

test.each(cases)(
  'backward with a cursor of %i digits, %i at a time: every event [P3]',
  async (digits, limit) => {
    const from = cut(new Date().toISOString().replace('Z', '000'), digits);
    expect(await walk(digits, limit, from, 'ending_before')).toEqual([...ids].reverse());
  },
);

test('an exact cursor, a token and a window of two bounds give no more than they say', async () => {
  const exact = await get(`starting_after=${second}.000000Z&limit=10`);
  expect(exact.data.map(({ id }) => id)).toEqual(ids.slice(1, 11));
  const first = await get(`starting_after=2020-01-01T00:00:00Z&limit=10`);
  expect(first.data.length).toBe(10);
  const next = await get(`limit=10&page_token=${first.pagination.next_page_token}`);
  expect(next.data.map(({ id }) => id)).toEqual(ids.slice(10, 20));
  const window = await get(`starting_after=2020-01-01T00:00:00Z&ending_before=${second}Z`);
  expect(window.data).toEqual([]);
});
