/** Whatever an endpoint answers for one record, the others are delivered; what it answers for all fails the execution. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import { type Behaviour, type Receiver, startReceiver } from '../../test/support/receiver.ts';
import type { JsonObject } from '../lib/json.ts';

let world: ModelSyncs;
let receiver: Receiver;

beforeAll(async () => {
  world = await startModelSyncs();
  await world.source.query(
    `create table people as select n as id, 'p' || n as name from generate_series(1, 300) n`,
  );
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  receiver = await startReceiver();
  return () => receiver.close();
});

const syncOf = async (count: number, configuration: JsonObject) =>
  world.createSync({
    model: await world.createModel({ query: `select * from people where id <= ${count}` }),
    connectionId: await world.connect('webhook', { url: `${receiver.url}/records` }),
    object: 'http',
    configuration,
    identity: ['id', 'record'],
    fields: [['name', 'record']],
  });

interface Body {
  object: { records: { fields: { id: number } }[] };
}
const idsOf = (body: Buffer) =>
  (JSON.parse(body.toString()) as Body).object.records.map(({ fields }) => fields.id);
const errorsOf = async (id: string) =>
  (await world.log(id, 'errors')) as { identity: { id: string }; reason: string }[];

/** Answers as it is said for the first record of a request that has an answer of its own. */
function answerBy(answers: Record<number, Behaviour>, taken: Map<number, number> = new Map()) {
  receiver.behave(({ body }) => {
    const ids = idsOf(body);
    const own = ids.find((id) => answers[id] !== undefined);
    if (own !== undefined) return answers[own];
    for (const id of ids) taken.set(id, (taken.get(id) ?? 0) + 1);
    return 200;
  });
  return taken;
}

test.each([1, 100])('batches of %i: one record that is refused with any status', async (size) => {
  const statuses = [400, 401, 403, 404, 409, 410, 418, 422, 500, 502, 302];
  const answers = Object.fromEntries(statuses.map((status, n): [number, Behaviour] => [2 * n + 1, status]));
  answers[40] = 'reset';
  const taken = answerBy(answers);
  const sync = await syncOf(60, { batch_size: size });
  const { id, outcome, counts } = await world.execute(sync);
  expect(outcome).toEqual({ status: 'completed' });
  expect(counts).toMatchObject({ total: 60, upserts: 48, error: 12 });
  expect([...taken.values()]).toEqual(Array(48).fill(1));
  const errors = await errorsOf(id);
  expect(errors.map(({ identity }) => Number(identity.id))).toEqual(Object.keys(answers).map(Number));
  for (const [n, status] of statuses.entries()) expect(errors[n]?.reason).toContain(`answered ${status}`);
  // They come again by themselves, and when one of them is mended it is taken.
  answerBy({ ...answers, 9: 200 });
  expect(await world.execute(sync)).toMatchObject({
    outcome: { status: 'completed' },
    counts: { total: 12, upserts: 1, error: 11 },
  });
});

test.each([
  [404, 100, 150],
  [500, 100, 110],
  [404, 1, 80],
])(
  'an endpoint that answers %i to everything, in batches of %i, fails the execution soon',
  async (status, batch_size, most) => {
    receiver.behave(() => status);
    const sync = await syncOf(300, { batch_size });
    const failed = await world.execute(sync);
    expect(failed.outcome).toMatchObject({
      status: 'failed',
      errors: [
        expect.stringMatching(new RegExp(`none of \\d+ records in a row.* \\(1, 2, 3.*answered ${status}`)),
      ],
    });
    expect(receiver.requests.length).toBeLessThan(most);
    expect(await errorsOf(failed.id)).toHaveLength(failed.counts.error ?? 0);
    receiver.behave(() => 200);
    expect((await world.execute(sync)).counts).toMatchObject({ total: 300, upserts: 300 });
  },
);

test.each([1, 100])(
  'batches of %i: half of the records are refused, all before the others',
  async (batch_size) => {
    const isBad = (id: number) => id <= 150;
    const bad = Object.fromEntries(Array.from({ length: 150 }, (_, n): [number, Behaviour] => [n + 1, 404]));
    const taken = answerBy(bad);
    const sync = await syncOf(400, { batch_size });
    const { outcome, counts } = await world.execute(sync);
    expect(outcome).toEqual({ status: 'completed' });
    expect(counts).toMatchObject({ total: 300, upserts: 150, error: 150 });
    expect([...taken.values()]).toEqual(Array(150).fill(1));
    // Neither a dry run nor one of chosen records says how many are refused.
    await world.execute(sync, { test: true });
    await world.execute(sync, { identities: ['400'] });
    // Now there is nothing but them, and then nothing but one more.
    expect(await world.execute(sync)).toMatchObject({
      outcome: { status: 'completed' },
      counts: { total: 150, error: 150 },
    });
    await world.source.query(`insert into people values (301, 'new')`);
    expect((await world.execute(sync)).counts).toMatchObject({ total: 151, upserts: 1, error: 150 });
    // An endpoint that is gone takes none that it has not refused before either.
    await world.source.query(`update people set name = 'newer' where id = 301`);
    receiver.behave(() => 404);
    expect(await world.execute(sync)).toMatchObject({
      outcome: { status: 'failed' },
      counts: { error: 151 },
    });
    await world.source.query('delete from people where id > 300');
    expect([...taken.keys()].filter(isBad)).toEqual([]);
  },
);

test('records that are on their way are not tried beside that', async () => {
  const bad = Object.fromEntries(Array.from({ length: 50 }, (_, n): [number, Behaviour] => [51 + n, 404]));
  const taken = answerBy(bad);
  const sync = await syncOf(300, { batch_size: 50, concurrency: 4 });
  const { outcome, counts } = await world.execute(sync);
  expect(outcome).toEqual({ status: 'completed' });
  expect(counts).toMatchObject({ upserts: 250, error: 50 });
  expect([...taken.values()]).toEqual(Array(250).fill(1));
});

test('the one record in the middle of others that is taken is reached by a later execution', async () => {
  const bad = Object.fromEntries(Array.from({ length: 300 }, (_, n): [number, Behaviour] => [n + 1, 403]));
  delete bad[120];
  const taken = answerBy(bad);
  const sync = await syncOf(300, { batch_size: 10 });
  for (let execution = 0; execution < 3; execution++) await world.execute(sync);
  // It may have been the only one to find out with.
  expect([...taken.keys()]).toEqual([120]);
});

test('an answer may name the records that were not taken', async () => {
  const answer = (status: number, errors: unknown) => ({ status, body: JSON.stringify({ errors }) });
  receiver.behave(({ body }, index) => {
    if (index === 0)
      return answer(200, [{ index: 4, message: 'no such country' }, { index: 99 }, { index: 100 }]);
    const place = idsOf(body).indexOf(150);
    return place < 0 ? 200 : answer(422, [{ index: place, message: 'odd' }]);
  });
  const sync = await syncOf(300, { concurrency: 1 });
  const { id, counts } = await world.execute(sync);
  expect(counts).toMatchObject({ total: 300, upserts: 297, error: 3 });
  // The third was named at once: it is what is before it, it, and what is behind it.
  expect(receiver.requests).toHaveLength(6);
  expect((await errorsOf(id)).map(({ identity, reason }) => [identity.id, reason])).toEqual([
    ['5', 'the webhook did not take the record: no such country'],
    ['100', 'the webhook did not take the record'],
    ['150', expect.stringContaining('answered 422')],
  ]);
  receiver.behave(() => 200);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 3, upserts: 3 });
});
