import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import {
  type Behaviour,
  type ReceivedRequest,
  type Receiver,
  startReceiver,
} from '../../test/support/receiver.ts';
import { readConsole } from '../executions/index.ts';
import type { JsonObject } from '../lib/json.ts';

let world: ModelSyncs;
let receiver: Receiver;

beforeAll(async () => {
  world = await startModelSyncs();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  receiver = await startReceiver();
  await world.source.query(`drop table if exists customers;
    create table customers (id bigint primary key, email text, credit numeric);
    insert into customers select n, 'c' || n, n * 9007199254740993.01 from generate_series(1, 250) n`);
});

async function createSync(configuration: JsonObject = {}) {
  return world.createSync({
    model: await world.createModel({ table: 'public.customers' }, 'id'),
    connectionId: await world.connect('webhook', { url: `${receiver.url}/records` }),
    object: 'http',
    configuration,
    identity: ['id', 'record'],
    fields: [
      ['email', 'record'],
      ['credit', 'record'],
    ],
  });
}

interface Body {
  event: string;
  object: { id: string; name: string; records: { hash: string; fields: Record<string, unknown> }[] };
}
const bodyOf = ({ body }: ReceivedRequest) => JSON.parse(body.toString()) as Body;
const bodies = () => receiver.requests.map(bodyOf);
const idsOf = ({ object }: Body) => object.records.map(({ fields }) => fields.id);

/** After the first request, that many arrive before one is answered; the last of them is the first. */
function inGroupsOf(size: number, behave: (request: ReceivedRequest, index: number) => Behaviour) {
  let waiting: (() => void)[] = [];
  return async (request: ReceivedRequest, index: number) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.unshift(resolve);
    if (index === 0 || waiting.length === size) {
      for (const go of waiting) go();
      waiting = [];
    }
    await promise;
    return behave(request, index);
  };
}

/** More records than there are. */
async function fillUp(count: number): Promise<void> {
  await world.source.query(
    `insert into customers select n, 'c' || n, n from generate_series(251, ${count}) n`,
  );
}

test('records go out in batches of 100, with every digit, and later only those that changed', async () => {
  const sync = await createSync({ concurrency: 1 });
  const first = await world.execute(sync);
  expect(first.counts).toMatchObject({ total: 250, upserts: 250 });
  expect(bodies().map((body) => body.object.records.length)).toEqual([100, 100, 50]);
  expect(bodies()[0]).toMatchObject({ event: 'sync.records', object: { id: sync.id, name: 'sync' } });
  const records = bodies().flatMap((body) => body.object.records);
  expect(new Set(records.map((record) => record.fields.id)).size).toBe(250);
  expect(records[0]?.hash).toMatch(/^[0-9a-f]{16}$/);
  const seventh = receiver.requests.map(({ body }) => body.toString()).join();
  expect(seventh).toContain('"id":7,"email":"c7","credit":63050394783186951.07');
  expect(await world.log(first.id, 'records')).toEqual(records.map(({ fields }) => fields));

  expect((await world.execute(sync)).counts).toMatchObject({ total: 0 });
  expect(receiver.requests).toHaveLength(3);
  await world.source.query(`update customers set email = 'new' where id = 7`);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 1, upserts: 1 });
  expect(bodies()[3]?.object.records).toEqual([
    expect.objectContaining({ fields: expect.objectContaining({ id: 7 }) }),
  ]);
  await receiver.close();
});

test('a receiver that stays broken fails the execution; what it took is not sent again', async () => {
  receiver.behave((_, index) => (index > 0 ? 500 : 200));
  const sync = await createSync();
  const failed = await world.execute(sync);
  expect(failed.outcome).toMatchObject({ status: 'failed', errors: [expect.stringContaining('500')] });
  expect(failed.counts).toMatchObject({ total: 250, upserts: 100 });
  receiver.behave(() => 200);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 150, upserts: 150 });
  await receiver.close();
});

test('a receiver that is busy is waited for as long as it asks, and is no failure', async () => {
  const times: number[] = [];
  // More often than a failure is tried again, by seconds and by date; Date tells whole seconds.
  receiver.behave((_, index) => {
    times.push(Date.now());
    if (index === 0) return { status: 429, headers: { 'retry-after': '1' } };
    if (index === 1)
      return { status: 503, headers: { 'retry-after': new Date(Date.now() + 2000).toUTCString() } };
    return index < 7 ? 503 : 200;
  });
  const sync = await createSync();
  const { id, outcome, counts } = await world.execute(sync);
  expect([outcome, counts]).toMatchObject([{ status: 'completed' }, { total: 250, upserts: 250 }]);
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(1000);
  expect((times[2] ?? 0) - (times[1] ?? 0)).toBeGreaterThanOrEqual(1000);
  expect(new Set(receiver.requests.slice(0, 8).map(({ body }) => `${body}`)).size).toBe(1);
  const { entries } = await readConsole(world.db, id, {});
  expect(entries.map(({ message }) => message)).toContainEqual(
    expect.stringMatching(/could not be written: the webhook answered 429; trying again in 1 s$/),
  );
  await receiver.close();
});

test.each([
  [{ status: 429, headers: { 'retry-after': '86400' } }, 1, /answered 429.*left alone for 86400 s/],
  [{ status: 503, headers: { 'retry-after': '86400' } }, 1, /answered 503.*left alone for 86400 s/],
])('what is not worth waiting for fails at once: %j', async (behaviour, requests, reason) => {
  receiver.behave(() => behaviour);
  const { outcome } = await world.execute(await createSync());
  expect(outcome).toMatchObject({ status: 'failed', errors: [expect.stringMatching(reason)] });
  expect(receiver.requests).toHaveLength(requests);
  await receiver.close();
});

test('a batch that is refused for its content is split until the record at fault stands alone', async () => {
  const accepted = new Set<unknown>();
  receiver.behave(({ body }) => {
    const { records } = (JSON.parse(body.toString()) as Body).object;
    if (records.some(({ fields }) => fields.id === 7 || fields.id === 203)) return 422;
    for (const { fields } of records) accepted.add(fields.id);
    return 200;
  });
  const sync = await createSync();
  const first = await world.execute(sync);
  expect(first.counts).toMatchObject({ total: 250, upserts: 248, error: 2 });
  expect(accepted.size).toBe(248);
  expect(receiver.requests.length).toBeLessThan(40);
  expect(await world.log(first.id, 'errors')).toEqual([
    expect.objectContaining({ identity: { id: '7' }, reason: expect.stringContaining('answered 422') }),
    expect.objectContaining({ identity: { id: '203' } }),
  ]);
  // They are offered again.
  receiver.behave(() => 200);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 2, upserts: 2 });
  await receiver.close();
});

test.each([undefined, 2])(
  'concurrency %j: so many requests at a time, answered in any order',
  async (size) => {
    await fillUp(900);
    receiver.behave(inGroupsOf(size ?? 4, () => 200));
    const { id, counts } = await world.execute(
      await createSync(size === undefined ? {} : { concurrency: size }),
    );
    expect(counts).toMatchObject({ total: 900, upserts: 900 });
    expect(receiver.requests).toHaveLength(9);
    const logged = (await world.log(id, 'records')) as { id: number }[];
    expect(logged.map(({ id }) => id)).toEqual(Array.from({ length: 900 }, (_, index) => index + 1));
    await receiver.close();
  },
);

test('killed when later requests are answered before an earlier one: only what was on its way comes again', async () => {
  await fillUp(900);
  const killed = new AbortController();
  receiver.behave(
    inGroupsOf(4, ({ body }) => {
      if (!idsOf(JSON.parse(body.toString())).includes(101)) return 200;
      // Whether the other answers are there by then or not: what is expected below is so in any case.
      killed.abort(new Error('killed'));
      return 'hang';
    }),
  );
  const sync = await createSync();
  const id = await world.start(sync);
  const first = await world.run(sync, id, (run) => ({
    ...run,
    signal: AbortSignal.any([run.signal, killed.signal]),
  }));
  expect(first).toMatchObject({ outcome: { status: 'interrupted' }, counts: { total: 900, upserts: 100 } });
  receiver.behave(() => 200);
  expect((await world.run(sync, id)).counts).toMatchObject({ total: 900, upserts: 900 });
  const came = Map.groupBy(receiver.requests, ({ body }) => body.toString());
  expect(Array.from(came.values(), (same) => same.length).sort()).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2]);
  expect(new Set(bodies().flatMap(idsOf)).size).toBe(900);
  expect(await world.log(id, 'records')).toHaveLength(900);
  await receiver.close();
});

test('one of several is told to wait: no other begins before it has been tried again, then each goes alone', async () => {
  await fillUp(900);
  const arrivals: { id: unknown; at: number; beside: number }[] = [];
  let open = 0;
  const answer = inGroupsOf(4, (_, index) =>
    index === 2 ? { status: 429, headers: { 'retry-after': '1' } } : 200,
  );
  receiver.behave(async (request, index) => {
    arrivals.push({ id: idsOf(bodyOf(request))[0], at: performance.now(), beside: open++ });
    const behaviour = index < 5 ? await answer(request, index) : 200;
    open--;
    return behaviour;
  });
  const { counts } = await world.execute(await createSync());
  expect(counts).toMatchObject({ total: 900, upserts: 900 });
  expect(arrivals[5]?.id).toBe(arrivals[2]?.id);
  expect((arrivals[5]?.at ?? 0) - (arrivals[4]?.at ?? 0)).toBeGreaterThanOrEqual(1000);
  expect(arrivals.slice(5).map(({ beside }) => beside)).toEqual([0, 0, 0, 0, 0]);
  await receiver.close();
});

test('a failed execution has ended when none of its requests is on its way: what comes next is not overtaken', async () => {
  await fillUp(900);
  const refused = Promise.withResolvers<void>();
  let open = 0;
  receiver.behave(async (_, index) => {
    open++;
    if (index > 1) await refused.promise;
    open--;
    if (index === 1) refused.resolve();
    return index === 1 || index > 4 ? 410 : 200;
  });
  const sync = await createSync();
  let openWhenTold: number | undefined;
  const { outcome } = await world.run(sync, await world.start(sync), (run) => ({
    ...run,
    console(level, message) {
      if (level === 'error') openWhenTold = open;
      return run.console(level, message);
    },
  }));
  expect(outcome).toMatchObject({ status: 'failed' });
  expect(receiver.requests.length).toBeGreaterThan(2);
  expect(openWhenTold).toBe(0);
  await receiver.close();
});

test('after a crash a batch may arrive twice, with the same hashes, and counts once', async () => {
  const sync = await createSync();
  const id = await world.start(sync);
  const killed = await world.run(sync, id, (run) => ({
    ...run,
    async commit(progress, work) {
      if (progress.counts?.upserts) throw new Error('killed');
      await run.commit(progress, work);
    },
  }));
  expect(killed.outcome).toMatchObject({ status: 'interrupted' });
  expect((await world.run(sync, id)).counts).toMatchObject({ total: 250, upserts: 250 });
  // What was under way when it was killed comes again: the same records with the same hashes.
  const hashes = (body: Body) => JSON.stringify(body.object.records.map((record) => record.hash));
  expect(receiver.requests.length).toBeGreaterThan(3);
  expect(new Set(bodies().map(hashes)).size).toBe(3);
  await receiver.close();
});
