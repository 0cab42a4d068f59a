import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';

let world: ModelSyncs;

beforeAll(async () => {
  world = await startModelSyncs();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  await world.source.query(`drop table if exists odd; create table odd (id text, body text)`);
  await world.target.query(`drop table if exists odd; create table odd (id text, body text)`);
});

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
