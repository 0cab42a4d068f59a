import pino from 'pino';
import { expect } from 'vitest';
import { buildApp } from '../../src/api/index.ts';
import { folderLogs } from '../../src/executions/index.ts';
import { type ModelSyncs, startModelSyncs } from './model-syncs.ts';
import { noEvents } from './no-events.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface Answer {
  status: number;
  body: { data: never; key: string; message: string; pagination?: { next_page_token?: string } };
}

export interface WireModel {
  id: string;
  version: number;
  fields: { id: string; name: string; type: string; remote_type: string }[];
}

/** The API over customers in a source and contacts in a target. */
export interface ModelSyncsApi extends AsyncDisposable {
  world: ModelSyncs;
  /** Another organization. */
  stranger: string;
  /** A connection to nothing. */
  webhookId: string;
  call(
    method: Method,
    url: string,
    body?: object,
    as?: { version?: string; organizationId?: string },
  ): Promise<Answer>;
  /** What a call answers that must succeed. */
  data<Data>(...request: Parameters<ModelSyncsApi['call']>): Promise<Data>;
  modelBody(more?: object): object;
  newModel(): Promise<WireModel>;
  syncBody(modelId: string, more?: object): object;
}

export async function startModelSyncsApi(): Promise<ModelSyncsApi> {
  const world = await startModelSyncs();
  const partnerKey = 'a partner key';
  const app = buildApp({
    ...world.deps,
    jobs: world.jobs,
    log: pino({ level: 'silent' }),
    clock: { now: Date.now },
    publicUrl: 'http://localhost',
    partnerKey,
    recordLogs: folderLogs('/nowhere'),
    eventRetention: 48 * 3_600_000,
    ...noEvents,
    webhookDeadline: 1000,
  });
  const other = await world.db
    .insertInto('organizations')
    .values({ name: 'other' })
    .returning('id')
    .executeTakeFirstOrThrow();
  const webhookId = await world.connect('webhook', { url: 'http://127.0.0.1:9/records' });
  await world.source.query(`create table customers (id bigint primary key, email text, "odd name" jsonb);
    insert into customers values (1, 'a@example.com', '{"n": 9007199254740993}')`);
  await world.target.query(`create table contacts (contact_id bigint primary key, email text not null,
    extra jsonb, computed int generated always as (1) stored)`);

  const call: ModelSyncsApi['call'] = async (method, url, body, as = {}) => {
    const { version, organizationId = world.organizationId } = as;
    const credential = Buffer.from(`${organizationId}:${partnerKey}`).toString('base64');
    const response = await app.inject({
      method,
      url,
      headers: {
        authorization: `Basic ${credential}`,
        ...(version === undefined ? {} : { 'x-polytomic-version': version }),
      },
      ...(body === undefined ? {} : { payload: body }),
    });
    // A void operation answers with an empty body.
    const answered = response.body === '' ? undefined : response.json();
    return { status: response.statusCode, body: answered };
  };
  const data: ModelSyncsApi['data'] = async (...request) => {
    const { status, body } = await call(...request);
    expect(body).toMatchObject({ data: expect.anything() });
    expect(status).toBe(200);
    return body.data;
  };
  const modelBody: ModelSyncsApi['modelBody'] = (more = {}) => ({
    name: 'Customers',
    connection_id: world.sourceId,
    configuration: { table: 'public.customers' },
    identifier: 'id',
    ...more,
  });
  return {
    world,
    stranger: other.id,
    webhookId,
    call,
    data,
    modelBody,
    newModel: () => data<WireModel>('POST', '/api/models', modelBody()),
    syncBody(modelId, more = {}) {
      const from = (field: string) => ({ model_id: modelId, field });
      return {
        name: 'Contacts',
        mode: 'updateOrCreate',
        schedule: { frequency: 'manual' },
        target: { connection_id: world.targetId, object: 'public.contacts' },
        identity: { source: from('id'), target: 'contact_id', function: 'Equality' },
        fields: [
          { source: from('email'), target: 'email' },
          { source: from('odd name'), target: 'extra', sync_mode: 'create' },
        ],
        ...more,
      };
    },
    async [Symbol.asyncDispose]() {
      await app.close();
      await world[Symbol.asyncDispose]();
    },
  };
}
