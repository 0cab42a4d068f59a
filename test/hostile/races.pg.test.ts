/** Deleting beside creating: whoever comes too late is told so, and nobody finds an error of ours. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeWorld, type World } from './world.ts';

let world: World;
let ids: { connection: string; source: object };

beforeAll(async () => {
  world = await makeWorld();
  const [base] = world.bases['bulkSync.create'] as { source_connection_id: string }[];
  ids = { connection: base?.source_connection_id ?? '', source: base ?? {} };
});
afterAll(() => world?.[Symbol.asyncDispose]());

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

async function made(key: string, url: string, body: object): Promise<string> {
  const response = await world.api.request(key, 'POST', url, body);
  expect(response.status, JSON.stringify(response.body)).toBe(200);
  return (response.body as { data: { id: string } }).data.id;
}

/** Both at once, again and again. @returns the statuses that were answered. */
async function beside(
  rounds: number,
  pair: (round: number) => Promise<[key: string, method: Method, url: string, body?: object][]>,
): Promise<Set<number>> {
  const statuses = new Set<number>();
  for (let round = 0; round < rounds; round++) {
    const requests = await pair(round);
    const answers = await Promise.all(requests.map((request) => world.api.request(...request)));
    for (const { status } of answers) statuses.add(status);
  }
  return statuses;
}

const expected = (statuses: Set<number>) =>
  [...statuses].filter((one) => ![200, 202, 401, 403, 404, 409, 422].includes(one));

test('an organization, a user or a sync that is deleted beside what would be in it', async () => {
  const { partnerKey, first } = world.api;
  const found = await Promise.all([
    beside(10, async (round) => {
      const id = await made(partnerKey, '/api/organizations', { name: `o${round}` });
      const user = [0, 1, 2].map((one) => ({ email: `u${one}@example.com` }));
      return [
        ...user.map((body): [string, Method, string, object] => [
          partnerKey,
          'POST',
          `/api/organizations/${id}/users`,
          body,
        ]),
        [partnerKey, 'DELETE', `/api/organizations/${id}`],
      ];
    }),
    beside(10, async (round) => {
      const users = `/api/organizations/${first.organizationId}/users`;
      const id = await made(partnerKey, users, { email: `k${round}@example.com` });
      return [
        [partnerKey, 'POST', `${users}/${id}/keys`],
        [partnerKey, 'POST', `${users}/${id}/keys?force=true`],
        [partnerKey, 'DELETE', `${users}/${id}`],
      ];
    }),
    beside(8, async (round) => {
      const sync = { ...ids.source, name: `r${round}` };
      const id = await made(first.apiKey, '/api/bulk/syncs', sync);
      const schemas = `/api/bulk/syncs/${id}/schemas`;
      const [schema] = ['public.t2'];
      return [
        [first.apiKey, 'PUT', `${schemas}/${schema}`, { fields: ['c1'] }],
        [first.apiKey, 'PATCH', schemas, { schemas: [{ id: schema, fields: ['c1'] }] }],
        [first.apiKey, 'POST', `/api/bulk/syncs/${id}/schedules`, { schedule: { frequency: 'hourly' } }],
        [first.apiKey, 'PUT', `/api/bulk/syncs/${id}`, sync],
        [first.apiKey, 'DELETE', `/api/bulk/syncs/${id}`],
      ];
    }),
  ]);
  for (const statuses of found) expect(expected(statuses)).toEqual([]);
});

test('two that set the same at once', async () => {
  const { apiKey } = world.api.first;
  const keys = `/api/connections/${ids.connection}/schemas/public.t2/primary_keys`;
  const key = (field: string) => ({ fields: [{ field_id: field, is_primary_key: true }] });
  const statuses = await beside(10, async () => [
    [apiKey, 'PUT', keys, key('c1')],
    [apiKey, 'PUT', keys, key('c2')],
    [apiKey, 'DELETE', keys],
    [apiKey, 'PUT', keys, key('c0')],
  ]);
  expect([...statuses]).toEqual([202]);
  const webhook = { endpoint: 'https://example.com', secret: 'secret' };
  const taken = await beside(5, async () => [
    [apiKey, 'POST', '/api/webhooks', webhook],
    [apiKey, 'POST', '/api/organization/users', { email: 'twice@example.com' }],
    [apiKey, 'POST', '/api/organization/users', { email: 'TWICE@example.com' }],
  ]);
  expect(expected(taken)).toEqual([]);
});
