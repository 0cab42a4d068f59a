import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { postgresqlConfiguration } from '../support/http.ts';
import type { Case, World } from './case.ts';
import { cases } from './cases.ts';
import { connection } from './connection.ts';
import { changed, differences, inconsistencies, planned, type Values } from './plan.ts';
import type { Answered, Send } from './resource.ts';

/**
 * What Terraform's provider (v2.0.0) sends for each of its resources and the state that it makes of the answers, as its
 * sources have it. Real runs of `apply`, `plan` and `import` sent the same.
 */

let api: TestApp;
let world: World;
let databases: TestDatabase[];

beforeAll(async () => {
  api = await startTestApp();
  const [shop, warehouse] = [await createDatabase(), await createDatabase()];
  databases = [shop, warehouse];
  await shop.query(`
    create table customers (id int primary key, email text not null, name text, notes text);
    create table orders (id int primary key, customer_id int, total numeric(10, 2), note text)`);
  await warehouse.query(`
    create table contacts (contact_id int primary key, email text, full_name text, flag boolean)`);
  world = await makeWorld(shop, warehouse);
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  for (const database of databases) await database[Symbol.asyncDispose]();
});

const names = cases({} as World).map(({ name }) => name);

describe.each(names)('%s', (name) => {
  const found = () => cases(world).find((one) => one.name === name) as Case;

  test('after create, update and import a plan shows no difference', async () => {
    const { resource, first, updates, partner } = found();
    const { shape } = resource;
    const send = senderFor(partner);
    let configuration = first;
    let plan = planned(shape, first);
    let state = await resource.create(send, { configuration, plan });
    expect(inconsistencies(plan, state)).toEqual([]);

    const settled = async () => {
      const read = (await resource.read(send, state)) ?? {};
      expect(differences(shape, configuration, read)).toEqual([]);
      expect(await resource.read(send, read)).toEqual(read);
      return read;
    };
    state = await settled();
    for (const { change, changes } of updates) {
      configuration = { ...configuration, ...change };
      expect(differences(shape, configuration, state)).not.toEqual([]);
      plan = planned(shape, configuration, state);
      const before = state;
      state = await resource.update(send, { configuration, plan, state });
      expect(inconsistencies(plan, state)).toEqual([]);
      state = await settled();
      expect(changed(before, state)).toEqual(changes);
    }

    // By its id alone, as Terraform imports it; what the wire does not answer is sent once more, and then is as it was.
    const { imported = ({ id }: Values): Values => ({ id }), unreadable = [] } = resource;
    let taken = (await resource.read(send, imported(state))) ?? {};
    expect(changed(taken, state).filter((one) => !unreadable.includes(one))).toEqual([]);
    plan = planned(shape, configuration, taken);
    taken = await resource.update(send, { configuration, plan, state: taken });
    expect(differences(shape, configuration, (await resource.read(send, taken)) ?? {})).toEqual([]);

    await resource.delete(send, state);
    if (name !== 'connection_schema_primary_keys') {
      expect(await resource.read(send, state)).toBeUndefined();
      await expect(resource.delete(send, state)).resolves.toBeUndefined();
    }
  });
});

test('a secret inside of an object is answered to the provider as it sent it, and to nobody else', async () => {
  const hook = connection('webhook');
  const send = senderFor(undefined);
  const own = {
    url: 'http://127.0.0.1:9/x',
    auth_method: 'oauth_client_credentials',
    oauth: {
      ...{ client_id: 'c', client_secret: 'a secret', token_endpoint: 'http://127.0.0.1:9/t', auth_style: 1 },
      ...{ scopes: ['a'], extra_form_data: [{ name: 'aud', value: 'another secret' }] },
    },
  };
  const configuration = { name: 'inside', configuration: own };
  const plan = planned(hook.shape, configuration);
  const made = await hook.create(send, { configuration, plan });
  expect(inconsistencies(plan, made)).toEqual([]);
  const read = (await hook.read(send, made)) ?? {};
  expect(JSON.stringify(read)).not.toContain(' secret"');
  // Which is a difference in every plan, unless its owner says ignore_changes: then the provider sends the mask back.
  expect(differences(hook.shape, configuration, read)).toHaveLength(2);
  const kept = { name: 'inside 2', configuration: read.configuration };
  const changes = planned(hook.shape, kept, read);
  const after = await hook.update(send, { configuration: kept, plan: changes, state: read });
  expect(inconsistencies(changes, after)).toEqual([]);
  expect(differences(hook.shape, kept, (await hook.read(send, after)) ?? {})).toEqual([]);
  const body = { name: 'inside 3', configuration: own, validate: false };
  const answer = await api.request(api.first.apiKey, 'PUT', `/api/connections/${made.id}`, body);
  expect(JSON.stringify(answer.body)).toContain('********');
  expect(JSON.stringify(answer.body)).not.toContain(' secret"');
});

test('a partner reads a connection by its id alone, as an import does', async () => {
  const theirs = connection('postgresql');
  const first = { name: 'by id', organization: world.otherOrganization, configuration: world.postgresql };
  const asked = { configuration: first, plan: planned(theirs.shape, first) };
  const state = await theirs.create(senderFor({ in: world.otherOrganization }), asked);
  const partner = senderFor(true);
  expect(await theirs.read(partner, { id: state.id })).toMatchObject({
    organization: world.otherOrganization,
  });
  expect(await theirs.read(partner, { id: crypto.randomUUID() })).toBeUndefined();
  await expect(partner('GET', '/api/connections')).rejects.toThrow(': 403 ');
});

/** As the provider's client: an error of the API is one of Terraform, but for 404. */
function senderFor(partner: Case['partner']): Send {
  const authorization =
    partner === undefined
      ? `Bearer ${api.first.apiKey}`
      : partner === true
        ? `Bearer ${api.partnerKey}`
        : `Basic ${Buffer.from(`${partner.in}:${api.partnerKey}`).toString('base64')}`;
  const headers = {
    authorization,
    'user-agent': 'polytomic-terraform-provider',
    'x-polytomic-version': '2024-02-08',
    'content-type': 'application/json',
  };
  return async (method, path, body) => {
    const { status, body: answer } = await api.request(null, method, path, body, headers);
    if (status === 404) return undefined;
    if (status >= 400)
      throw new Error(`${method} ${path.slice(0, 200)}: ${status} ${JSON.stringify(answer)}`);
    return (answer ?? {}) as Answered;
  };
}

async function makeWorld(shop: TestDatabase, warehouse: TestDatabase): Promise<World> {
  const { organizationId: organization, apiKey } = api.first;
  const make = async (path: string, body: object): Promise<string> => {
    const answer = await api.request(apiKey, 'POST', path, body, { 'x-polytomic-version': '2024-02-08' });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return (answer.body as { data: { id: string } }).data.id;
  };
  const connect = (name: string, type: string, configuration: object) =>
    make('/api/connections', { name, type, configuration, validate: false });
  const ids = {
    shop: await connect('shop', 'postgresql', postgresqlConfiguration(shop.url)),
    warehouse: await connect('warehouse', 'postgresql', postgresqlConfiguration(warehouse.url)),
    webhook: await connect('webhook', 'webhook', {
      url: 'http://127.0.0.1:9/y',
      auth_method: 'polytomic_secret',
    }),
  };
  const customers = await make('/api/models', {
    name: 'customers',
    connection_id: ids.shop,
    configuration: { table: 'public.customers' },
    identifier: 'id',
  });
  const source = (field: string) => ({ model_id: customers, field });
  const modelSync = await make('/api/syncs', {
    name: 'before',
    mode: 'create',
    target: { connection_id: ids.warehouse, object: 'public.contacts' },
    fields: [{ source: source('email'), target: 'email' }],
    identity: { source: source('id'), target: 'contact_id', function: 'Equality' },
    schedule: { frequency: 'manual' },
  });
  const bulkSync = await make('/api/bulk/syncs', {
    name: 'before',
    mode: 'replicate',
    source_connection_id: ids.shop,
    destination_connection_id: ids.warehouse,
    destination_configuration: { schema: 'before' },
    schedule: { frequency: 'manual' },
    schemas: [{ id: 'public.customers', enabled: true }],
  });
  const { organizationId: otherOrganization } = await api.tenant('others');
  const postgresql = { ...postgresqlConfiguration(shop.url), password: 'a password' };
  return { organization, otherOrganization, ...ids, customers, modelSync, bulkSync, postgresql };
}
