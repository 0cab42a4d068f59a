import { createHash } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import type { JsonObject } from '../lib/json.ts';

let world: ModelSyncs;

beforeAll(async () => {
  world = await startModelSyncs();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  await world.source.query(`drop table if exists odd; create table odd (id text, body text)`);
  await world.target.query(`drop table if exists odd; create table odd (id text, body text)`);
});

async function connected(url: string) {
  const client = new pg.Client(url);
  await client.connect();
  return { client, [Symbol.asyncDispose]: () => client.end() };
}

const rows = () => world.target.query(`select id, body from odd order by id collate "C"`);
const sourceRows = () => world.source.query(`select id, body from odd order by id collate "C"`);

/** An override that never fits: records then come as rows, not as lines. */
const asRows = [{ field_id: 'body', function: 'Equality' as const, value: 'never', override: 'never' }];

test.each([
  ['lines', []],
  ['rows', asRows],
])(
  'every character arrives as it is, first and changed, of records that come as %s',
  async (_, overrides) => {
    const sync = await world.createSync({
      model: await world.createModel({ table: 'public.odd' }, 'id'),
      object: 'public.odd',
      identity: ['id', 'id'],
      fields: ['body'],
      overrides,
    });
    await world.source.query(`insert into odd
    select 'k' || n || chr(n) || '\\N' || chr(n), chr(n) || '\\' || chr(n) || 'x\\N' || repeat(chr(n), 3) from generate_series(1, 300) n;
    insert into odd values ('\\N', '\\N'), ('', ''), ('\\', '\\'), (E'\\t', E'\\t\\n\\\\.\\n'), ('\\.', '\\.')`);
    const first = await world.execute(sync);
    expect(first.counts).toMatchObject({ total: 305, insert: 305 });
    expect(await rows()).toEqual(await sourceRows());
    await world.source.query(`update odd set body = body || chr(8) || chr(11) || chr(12) || body`);
    const second = await world.execute(sync);
    expect(second.counts).toMatchObject({ total: 305, update: 305 });
    expect(await rows()).toEqual(await sourceRows());
  },
);

const noise = Array.from({ length: 100 }, (_, n) =>
  createHash('sha512').update(`${n}`).digest('base64'),
).join('');

test.each(['append', 'updateOrCreate'] as const)(
  'an identity that is too long to be remembered is an error of its record alone, in every way to plan: %s',
  async (mode) => {
    const sync = await world.createSync({
      model: await world.createModel({ table: 'public.odd' }, 'id'),
      object: 'public.odd',
      identity: ['id', 'id'],
      fields: ['body'],
      mode,
    });
    await world.source.query(`insert into odd select id, 'x' from unnest($1::text[]) id`, [
      ['a', noise.slice(0, 2_500), 'alike'.repeat(2_000), noise.slice(0, 2_800), noise],
    ]);
    // Somebody who sees all that was there when he began, such as pg_dump: an index takes that up, deleted or not.
    await using old = await connected(world.metadataUrl);
    await old.client.query('begin isolation level repeatable read');
    await old.client.query('select');
    const told = async (id: string) =>
      (await world.log(id, 'errors')).map((entry) => (entry as { reason: string }).reason).toSorted();
    const reasons = [2_800, noise.length].map(
      (length) => `the identity has ${length} bytes; up to about 2600 can be remembered`,
    );
    const ways: JsonObject[] = [{ test: true }, { identities: [noise, 'a'] }, {}, {}, { resync: true }];
    for (const options of ways) {
      const { id, outcome, counts } = await world.execute(sync, options);
      expect(outcome).toEqual({ status: 'completed' });
      const asked = 'identities' in options;
      expect(counts).toMatchObject({ error: asked ? 1 : 2 });
      expect(await told(id)).toEqual(asked ? reasons.slice(1) : reasons);
    }
    expect(await world.target.query('select distinct length(id) as length from odd order by 1')).toEqual(
      [1, 2_500, 10_000].map((length) => ({ length })),
    );
  },
);

test('replacing needs not remember: an identity may have any length', async () => {
  const sync = await world.createSync({
    model: await world.createModel({ table: 'public.odd' }, 'id'),
    object: 'public.odd',
    fields: ['id', 'body'],
    mode: 'replace',
  });
  await world.source.query('insert into odd values ($1, $1)', [noise]);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 1, insert: 1 });
  expect(await rows()).toEqual(await sourceRows());
});
