import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';

let world: ModelSyncs;

beforeAll(async () => {
  world = await startModelSyncs();
});
afterAll(() => world[Symbol.asyncDispose]());

/** Repeatable numbers in [0, 1): a failure names its seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * Rows come, change, go, become invalid and valid again, and executions are killed at random places. After
 * an execution that ran to its end the target holds what the model says for every record that is valid and
 * still there, and the counts of that execution are what its logs say.
 */
test.each([1, 2, 3])('random changes and kills, seed %i: the target equals the model', async (seed) => {
  const next = random(seed);
  await world.source.query(`drop table if exists items;
    create table items (row_id int generated always as identity, id int, value text);
    insert into items (id, value) select n, 'v' || n from generate_series(1, 300) n`);
  await world.target.query(`drop table if exists items;
    create table items (id int primary key, value text check (value <> 'refused'))`);
  const sync = await world.createSync({
    model: await world.createModel({ table: 'public.items' }),
    object: 'public.items',
    identity: ['id', 'id'],
    fields: ['value'],
  });

  for (let round = 0; round < 8; round++) {
    await world.source.query(changes(next));
    const id = await world.start(sync);
    for (let kills = Math.floor(next() * 3); kills > 0; kills--) {
      let left = 1 + Math.floor(next() * 6);
      const killed = await world.run(sync, id, (run) => ({
        ...run,
        async commit(progress, work) {
          if (--left === 0) throw new Error('killed');
          await run.commit(progress, work);
        },
      }));
      if (killed.outcome.status === 'completed') break;
    }
    const { status } = await world.db
      .selectFrom('executions')
      .select('status')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    if (status !== 'completed') {
      expect((await world.run(sync, id)).outcome).toEqual({ status: 'completed' });
    }
    const valid = await world.source.query(`
      select id, min(value) as value from items where id is not null
      group by id having count(*) = 1 and min(value) <> 'refused' order by id`);
    const there = await world.target.query('select id, value from items order by id');
    const sourceIds = new Set(valid.map((row) => row.id));
    expect(there.filter((row) => sourceIds.has(row.id))).toEqual(valid);

    const { counts } = (await world.db
      .selectFrom('executions')
      .select('counts')
      .where('id', '=', id)
      .executeTakeFirstOrThrow()) as { counts: Record<string, number> };
    const { total = 0, insert = 0, update = 0, error = 0 } = counts;
    expect(insert).toBe((await world.log(id, 'inserts')).length);
    expect(update).toBe((await world.log(id, 'updates')).length);
    expect(error).toBe((await world.log(id, 'errors')).length);
    expect(total).toBe(insert + update + error);
  }
});

function changes(next: () => number): string {
  const id = () => 1 + Math.floor(next() * 320);
  const statements = Array.from({ length: 5 + Math.floor(next() * 40) }, () => {
    const kind = next();
    if (kind < 0.4) return `update items set value = 'v${Math.floor(next() * 1000)}' where id = ${id()}`;
    if (kind < 0.6) return `insert into items (id, value) values (${id()}, 'new')`;
    if (kind < 0.75) return `delete from items where id = ${id()}`;
    if (kind < 0.85) return `update items set value = 'refused' where id = ${id()}`;
    if (kind < 0.9) return `update items set id = null where id = ${id()}`;
    return `delete from items where row_id in (select max(row_id) from items group by id having count(*) > 1)`;
  });
  return statements.join(';');
}
