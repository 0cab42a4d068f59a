import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Behaviour, type Receiver, startReceiver } from '../../../test/support/receiver.ts';
import { createEgress, type Egress } from '../../egress/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import { type ConnectorHarness, describeConnector } from '../conformance.ts';
import { webhook } from './index.ts';

interface Sent {
  event: string;
  object: {
    id: string;
    name: string;
    metadata?: object;
    records: { hash: string; fields: Record<string, string | null> }[];
  };
}

async function harness(): Promise<ConnectorHarness> {
  const receiver = await startReceiver();
  const sent = () => receiver.requests.map(({ body }) => JSON.parse(body.toString()) as Sent);
  return {
    configuration: { url: `${receiver.url}/records`, auth_method: 'polytomic_secret', secret: 'token' },
    broken: { url: 'ftp://example.com', auth_method: 'polytomic_secret' },
    destination: {
      object: 'http',
      fields: { name: 'record', note: 'record' },
      // The receiver has no identities of its own: here they come back in the order they were sent.
      async contents() {
        const list = sent().flatMap(({ object }) => object.records);
        const ids = ['1', '2', '9007199254740993'];
        return new Map(
          list.map(({ fields }, index) => [
            ids[index] ?? '',
            { name: fields.name ?? null, note: fields.note ?? null },
          ]),
        );
      },
      async clear() {
        receiver.requests.length = 0;
      },
    },
    close: () => receiver.close(),
  };
}

describeConnector(webhook, { source: false, modes: ['updateOrCreate'], transactional: false }, harness);

let receiver: Receiver;
let egress: Egress;

beforeAll(() => {
  egress = createEgress({ allow: ['127.0.0.0/8'] });
});
afterAll(() => egress.close());
beforeEach(async () => {
  receiver = await startReceiver();
  return () => receiver.close();
});

async function send(configuration: JsonObject, target: JsonObject = {}): Promise<void> {
  const session = webhook.open({ url: `${receiver.url}/in?x=1`, ...configuration }, { egress });
  try {
    const field = (name: string, type: 'number' | 'string') => ({
      name,
      type,
      remoteType: type === 'number' ? 'bigint' : 'text',
      nullable: true,
    });
    const writer = await session.modelDestination?.writer({
      sync: { id: 'sync-id', name: 'Sync' },
      object: 'http',
      configuration: target,
      mode: 'updateOrCreate',
      fields: [
        { source: field('$first name', 'string'), target: 'record', createOnly: false },
        { source: field('count', 'number'), target: 'record', createOnly: false },
      ],
    });
    await writer?.write([{ key: '1', hash: '-1', values: ['Ann', '5'] }], async () => {});
  } finally {
    await session.close();
  }
}

test('the request is Polytomic’s: body, hash, headers', async () => {
  await send(
    { auth_method: 'polytomic_secret', secret: 'token', headers: [{ name: 'x-more', value: 'yes' }] },
    { metadata: ['a'] },
  );
  const [request] = receiver.requests;
  expect(JSON.parse(request?.body.toString() ?? '')).toEqual({
    event: 'sync.records',
    object: {
      id: 'sync-id',
      name: 'Sync',
      metadata: ['a'],
      records: [{ hash: 'ffffffffffffffff', fields: { firstname: 'Ann', count: 5 } }],
    },
  });
  expect(request?.headers).toMatchObject({
    'content-type': 'application/json',
    authorization: 'Bearer token',
    'x-more': 'yes',
    'polytomic-signature-timestamp': expect.stringMatching(/^\d{4}-.*Z$/),
    'user-agent': expect.stringMatching(/^Tidemark\//),
  });
});

test('the other ways to authenticate', async () => {
  await send({ auth_method: 'basic', basic: { username: 'u', password: 'p' } });
  await send({ auth_method: 'header', header: { name: 'x-key', value: 'k' } });
  await send({ auth_method: 'query', query: [{ name: 'key', value: 'a b' }] });
  const [basic, header, query] = receiver.requests;
  expect(basic?.headers.authorization).toBe(`Basic ${Buffer.from('u:p').toString('base64')}`);
  expect(header?.headers['x-key']).toBe('k');
  expect(query?.url).toBe('/in?x=1&key=a+b');
});

test('OAuth client credentials: a token is fetched once, and another when it has run out', async () => {
  let token = 0;
  let refused = 0;
  receiver.behave(({ url, headers }) => {
    if (url === '/token') return { status: 200, body: JSON.stringify({ access_token: `t${++token}` }) };
    if (headers.authorization !== 'Bearer t1' || refused > 0) return 200;
    refused++;
    return 401;
  });
  const oauth = { client_id: 'id', client_secret: 's', token_endpoint: `${receiver.url}/token` };
  await send({ auth_method: 'oauth_client_credentials', oauth });
  expect(receiver.requests.map(({ url, headers }) => [url, headers.authorization])).toEqual([
    ['/token', `Basic ${Buffer.from('id:s').toString('base64')}`],
    ['/in?x=1', 'Bearer t1'],
    ['/token', `Basic ${Buffer.from('id:s').toString('base64')}`],
    ['/in?x=1', 'Bearer t2'],
  ]);
  receiver.behave(({ url }) => (url === '/token' ? 503 : 200));
  await expect(send({ auth_method: 'oauth_client_credentials', oauth })).rejects.toMatchObject({
    name: 'Busy',
    message: 'the token endpoint answered 503 without an access token',
  });
  receiver.behave(() => 400);
  await expect(send({ auth_method: 'oauth_client_credentials', oauth })).rejects.toMatchObject({
    key: 'unprocessable',
    message: expect.stringContaining('oauth: the token endpoint answered 400'),
  });
  for (const [wrong, field] of [
    [{}, 'oauth.client_id'],
    [{ client_id: 'id', token_endpoint: 'x' }, 'oauth.token_endpoint'],
  ] as const) {
    const refusal = send({ auth_method: 'oauth_client_credentials', oauth: wrong });
    await expect(refusal).rejects.toThrow(`configuration.${field}`);
  }
});

test('a further header takes the place of ours, but not of what proves who sends', async () => {
  const headers = [{ name: 'content-type', value: 'application/vnd.a+json' }];
  await send({ auth_method: 'polytomic_secret', headers });
  expect(receiver.requests[0]?.headers['content-type']).toBe('application/vnd.a+json');
  const authorization = [{ name: 'authorization', value: 'Bearer mine' }];
  await send({ auth_method: 'polytomic_secret', headers: authorization });
  expect(receiver.requests[1]?.headers.authorization).toBe('Bearer mine');
  const oauth = { client_id: 'id', client_secret: 's', token_endpoint: `${receiver.url}/token` };
  const ways: JsonObject[] = [
    { auth_method: 'polytomic_secret', secret: 'x' },
    { auth_method: 'basic', basic: { username: 'u', password: 'p' } },
    { auth_method: 'header', header: { name: 'AUTHORIZATION', value: 'x' } },
    { auth_method: 'oauth_client_credentials', oauth },
  ];
  for (const way of ways) {
    const session = webhook.open({ url: receiver.url, ...way, headers: authorization }, { egress });
    await expect(session.test()).rejects.toThrow(
      'configuration.headers: has authorization, which the authentication sends already: leave out one of them',
    );
    await session.close();
  }
  expect(receiver.requests).toHaveLength(2);
});

test.each([
  [{ batch_size: 0 }, 'batch_size: takes a whole number from 1 to 10000'],
  [{ concurrency: 17 }, 'concurrency: takes a whole number from 1 to 16'],
  [{ concurrency: '2' }, 'concurrency: takes a whole number from 1 to 16'],
])('a target’s configuration is checked when a sync is saved: %j', async (target, message) => {
  const session = webhook.open({ url: receiver.url }, { egress });
  const check = session.modelDestination?.check;
  expect(() => check?.('http', target, [])).toThrow(`target.configuration.${message}`);
  expect(() => check?.('http', {}, ['a b', 'b', 'a-b'])).toThrow(
    'fields: "a b" and "a-b" are both sent as ab: give one another name in the model’s query',
  );
  check?.('http', {}, ['a', 'A', 'a_', '-', '--']);
  await session.close();
});

test('what failed says whether it may be tried again, and when', async () => {
  const answered = (behaviour: Behaviour) => {
    receiver.behave(() => behaviour);
    return expect(send({ auth_method: 'polytomic_secret' })).rejects;
  };
  const asking = (status: number, text: string) => ({ status, headers: { 'retry-after': text } });
  await answered(asking(429, '7')).toMatchObject({ name: 'Busy', pause: 7000 });
  // By the endpoint's own clock, which Node tells in Date.
  const inTenSeconds = new Date(Date.now() + 10_000).toUTCString();
  await answered(asking(503, inTenSeconds)).toSatisfy(({ name, pause }) => name === 'Busy' && pause > 7000);
  await answered(503).toMatchObject({ name: 'Busy', pause: 0 });
  await answered(500).toMatchObject({ name: 'Error', message: 'the webhook answered 500: answered' });
  await answered('reset').toMatchObject({ name: 'EgressError' });
  await answered(422).toMatchObject({
    name: 'BatchRefused',
    message: 'the webhook answered 422: answered',
  });
  await answered(403).toMatchObject({ name: 'BatchRefused', unsure: true });
  const errors = (list: unknown) => ({ status: 422, body: JSON.stringify({ errors: list }) });
  await answered(errors([{ index: 0, message: 'no' }])).toMatchObject({ place: 0, unsure: false });
  await answered(errors([{ index: -1 }, { index: '0' }, 'odd', null])).toMatchObject({ place: undefined });
  expect(receiver.requests.length).toBe(9);
});
