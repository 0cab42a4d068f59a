import pino from 'pino';
import { expect } from 'vitest';
import { buildApp } from '../../src/api/index.ts';
import { type BulkHarness, bulkHarness } from './bulk-syncs.ts';
import { createDatabase, type TestDatabase } from './database.ts';
import { noEvents } from './no-events.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers whose shape is what they are about.
  body: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  data: any;
}

/** The API over a shop with two tables and an empty warehouse. */
export interface BulkApi extends AsyncDisposable {
  harness: BulkHarness;
  shop: TestDatabase;
  warehouse: TestDatabase;
  /** Connections to both. */
  ids: { source: string; destination: string };
  call(method: Method, url: string, body?: object, version?: string): Promise<Answer>;
  /** GET of a whole path, without a credential. */
  anonymous(path: string): Promise<Answer>;
  /** The least a bulk sync needs, and more. */
  request(more?: object): object;
  /** Makes a bulk sync. Returns its id. */
  create(more?: object): Promise<string>;
}

export async function bulkApi(): Promise<BulkApi> {
  const harness = await bulkHarness();
  const app = buildApp({
    ...harness,
    log: pino({ level: 'silent' }),
    clock: { now: Date.now },
    publicUrl: 'http://127.0.0.1:8080',
    partnerKey: undefined,
    eventRetention: 48 * 3_600_000,
    ...noEvents,
    webhookDeadline: 1000,
  });
  const [shop, warehouse] = [await createDatabase(), await createDatabase()];
  await shop.query(`
    create table users (id int primary key, "firstName" text, email text);
    insert into users select i, 'n' || i, null from generate_series(1, 10) i;
    create table orders (id int primary key, total numeric); insert into orders values (1, 9.99)`);
  const ids = { source: await harness.connect(shop), destination: await harness.connect(warehouse) };

  const call: BulkApi['call'] = async (method, url, body, version) => {
    const response = await app.inject({
      method,
      url: `/api${url}`,
      headers: {
        authorization: `Bearer ${harness.apiKey}`,
        ...(version === undefined ? {} : { 'x-polytomic-version': version }),
      },
      ...(body === undefined ? {} : { payload: body }),
    });
    const json = response.body === '' ? undefined : response.json();
    return { status: response.statusCode, body: json, data: json?.data };
  };
  const request: BulkApi['request'] = (more = {}) => ({
    name: 'Shop to warehouse',
    source_connection_id: ids.source,
    destination_connection_id: ids.destination,
    destination_configuration: { schema: 'replica' },
    ...more,
  });
  return {
    harness,
    shop,
    warehouse,
    ids,
    call,
    async anonymous(url) {
      const response = await app.inject({ method: 'GET', url });
      const json = response.json();
      return { status: response.statusCode, body: json, data: json.data };
    },
    request,
    async create(more) {
      const { data, status, body } = await call('POST', '/bulk/syncs', request(more));
      expect(status, JSON.stringify(body)).toBe(200);
      return data.id;
    },
    async [Symbol.asyncDispose]() {
      await app.close();
      await shop[Symbol.asyncDispose]();
      await warehouse[Symbol.asyncDispose]();
      await harness[Symbol.asyncDispose]();
    },
  };
}
