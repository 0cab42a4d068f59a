import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { type Receiver, startReceiver } from '../../../test/support/receiver.ts';
import { createEgress, type Egress } from '../../egress/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { Lookup, LookupAnswer } from '../contract.ts';
import { httpenrichment } from './index.ts';

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

function open(configuration: JsonObject, through = egress) {
  const session = httpenrichment.open(
    { method: 'GET', url: receiver.url, ...configuration },
    { egress: through },
  );
  onTestFinished(() => session.close());
  const { enrichment } = session;
  if (enrichment === undefined) throw new Error('no enrichment');
  return { session, enrichment };
}

async function ask(lookup: Lookup, inputs: Record<string, string | null>): Promise<LookupAnswer | undefined> {
  const request = lookup.request(new Map(Object.entries(inputs)));
  if (request?.problem !== undefined) return { status: 'failed', reason: request.problem };
  return request && lookup.send(request);
}

const json = (body: string) => ({ status: 200, headers: { 'content-type': 'application/json' }, body });

test('inputs stand where they are named, and change nothing around them', async () => {
  receiver.behave(() => json('{"n":9007199254740993}'));
  const { enrichment } = open({
    url: `${receiver.url}/people/{{ email }}?q={{email}}`,
    method: 'POST',
    parameters: [{ name: 'p', value: '{{plan}}' }],
    headers: [{ name: 'x-plan', value: 'is {{plan}}' }],
    body: '{"who":"{{email}}"}',
    auth: { header: { name: 'x-key', value: 'secret' } },
  });
  expect(enrichment.inputs({})).toEqual([['email', 'plan']]);
  const lookup = enrichment.lookup({});
  const email = 'a"b/../c&d=é {{plan}}';
  expect(await ask(lookup, { email, plan: 'x&y=1' })).toEqual({
    status: 'found',
    json: '{"n":9007199254740993}',
  });
  const [request] = receiver.requests;
  const url = new URL(request?.url ?? '', receiver.url);
  expect(url.pathname).toBe(`/people/${encodeURIComponent(email)}`);
  expect([...url.searchParams]).toEqual([
    ['q', email],
    ['p', 'x&y=1'],
  ]);
  expect(JSON.parse(request?.body.toString() ?? '')).toEqual({ who: email });
  expect(request?.headers).toMatchObject({
    'x-plan': 'is x&y=1',
    'x-key': 'secret',
    'content-type': 'application/json',
    accept: 'application/json',
  });
  // Without an input there is nothing to ask for; with some there is nothing that could be asked.
  expect(await ask(lookup, { email, plan: null })).toBeUndefined();
  expect(await ask(lookup, { email: '..', plan: 'x' })).toMatchObject({
    reason: 'email is .., which no URL can hold',
  });
  expect(await ask(lookup, { email, plan: 'a\r\nx: y' })).toMatchObject({
    reason: 'plan has characters that no header can hold',
  });
  expect(receiver.requests).toHaveLength(1);
});

test('what the answers mean', async () => {
  const { enrichment } = open({ url: `${receiver.url}/{{id}}` });
  const lookup = enrichment.lookup({});
  const answered = async (behaviour: ReturnType<Parameters<Receiver['behave']>[0]>) => {
    receiver.behave(() => behaviour);
    return ask(lookup, { id: '1' });
  };
  expect(await answered(404)).toEqual({ status: 'nothing' });
  expect(await answered({ status: 204 })).toEqual({ status: 'nothing' });
  expect(await answered(422)).toEqual({ status: 'failed', reason: 'it answered 422: answered' });
  expect(await answered(json('<html>'))).toEqual({ status: 'failed', reason: 'its answer is no JSON' });
  expect(await answered('huge')).toEqual({ status: 'failed', reason: 'its answer is longer than 64 KiB' });
  expect(await answered(503)).toMatchObject({ status: 'failed', again: 0, busy: false });
  expect(await answered({ status: 429, headers: { 'retry-after': '7' } })).toMatchObject({
    again: 7000,
    busy: true,
  });
  expect(await answered('reset')).toMatchObject({ status: 'failed', again: 0 });
  await expect(answered(403)).rejects.toThrow('it answered 403');
  const guarded = createEgress({ allow: [] });
  onTestFinished(() => guarded.close());
  const inner = open({ url: `${receiver.url}/{{id}}` }, guarded).enrichment.lookup({});
  await expect(ask(inner, { id: '1' })).rejects.toMatchObject({ name: 'LookupRefused' });
});

test('a configuration that cannot work is refused when it is tested', async () => {
  await expect(open({ url: 'https://example.com/all' }).session.test()).rejects.toThrow('has no {{input}}');
  await expect(open({ url: 'ftp://{{x}}' }).session.test()).rejects.toThrow('not an http:// or https:// URL');
  for (const url of [
    'https://{{x}}/a',
    'https://example.com{{x}}',
    'https:{{x}}',
    'https://example.com:{{x}}/a',
  ]) {
    await expect(open({ url }).session.test()).rejects.toThrow('has an {{input}} in its host');
  }
  expect(receiver.requests).toHaveLength(0);
  const checked = open({ url: `${receiver.url}/{{x}}`, healthcheck: `${receiver.url}/healthz` });
  await checked.session.test();
  receiver.behave(() => 500);
  await expect(checked.session.test()).rejects.toThrow('the health check answered 500');
  expect(receiver.requests.map(({ url }) => url)).toEqual(['/healthz', '/healthz']);
  expect(() => checked.enrichment.inputs({ concurrency: 0 })).toThrow('takes a whole number from 1 to 32');
});

test('a token of OAuth is fetched once, and again when it has run out or could not be had', async () => {
  let tokens = 0;
  receiver.behave(({ url, headers }) => {
    if (url === '/token' && receiver.requests.length === 1) return 'reset';
    if (url === '/token') return json(`{"access_token":"t${++tokens}"}`);
    return headers.authorization === 'Bearer t2' ? json('{}') : 401;
  });
  const { enrichment } = open({
    url: `${receiver.url}/{{x}}`,
    auth: { oauth: { client_id: 'id', client_secret: 's', token_endpoint: `${receiver.url}/token` } },
  });
  const lookup = enrichment.lookup({});
  expect(await ask(lookup, { x: '1' })).toMatchObject({ status: 'failed', again: 0 });
  expect(await ask(lookup, { x: '1' })).toEqual({ status: 'found', json: '{}' });
  expect(await ask(lookup, { x: '2' })).toEqual({ status: 'found', json: '{}' });
  expect(tokens).toBe(2);
});
