import { afterAll, beforeAll, expect, test } from 'vitest';
import { dyingAt } from '../../test/model/deaths.ts';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import { random } from '../../test/support/random.ts';
import type { ModelSync } from './index.ts';

let world: ModelSyncs;
beforeAll(async () => {
  world = await startModelSyncs();
});
afterAll(() => world[Symbol.asyncDispose]());

const changes = [
  (n: number) => `update items set value = 'v${n}' where id % 7 = ${n % 7}`,
  (n: number) => `update items set value = 'refused' where id % 31 = ${n % 31}`,
  (n: number) => `update items set value = 'v${n}' where value = 'refused'`,
  (n: number) => `insert into items select id, 'twice ${n}' from items where id % 29 = ${n % 29}`,
  () => 'delete from items where id in (select id from items group by id having count(*) > 1)',
  (n: number) => `update items set id = null where id % 41 = ${n % 41}`,
  (n: number) => `insert into items select n, 'new' from generate_series(${1000 * n}, ${1000 * n + 20}) n`,
];

test('connections that were there before are killed, too', async () => {
  const asking = () => world.db.selectFrom('executions').select('id').execute();
  await asking();
  await expect(dyingAt(world, 1, asking)).rejects.toThrow();
  await asking();
});

test.each([2, 3])(
  'killed at any statement, given up, mapped anew: each version of a record is appended once (seed %i)',
  async (seed) => {
    const next = random(seed);
    const below = (limit: number) => Math.floor(next() * limit);
    await world.source.query(`drop table if exists items; create table items (id int, value text, filler text);
      insert into items select n, 'v', repeat('x', n * 37 % 200) from generate_series(1, 4500) n`);
    await world.target.query(`drop table if exists items;
      create table items (id int, value text check (value <> 'refused'), mapping text)`);
    const model = await world.createModel({ table: 'public.items' });
    let mapping = 0;
    const settings = () => ({
      model,
      object: 'public.items',
      mode: 'append' as const,
      identity: ['id', 'id'] as [string, string],
      fields: ['value'],
      override_fields: [
        { target: 'mapping', override_value: `m${mapping}`, source: { model_id: model.id, field: 'value' } },
      ],
    });
    let sync: ModelSync = await world.createSync(settings());
    for (let round = 0; round < 3; round++) {
      for (let left = below(4); left > 0; left--) {
        await world.source.query(changes[below(changes.length)]?.(below(1000)) ?? '');
      }
      let id = await world.start(sync);
      for (let deaths = below(5); deaths > 0; deaths--) {
        const at = 1 + below(next() < 0.5 ? 60 : 200);
        const status = await dyingAt(world, at, () => world.run(sync, id)).then(
          ({ outcome }) => outcome.status,
          () => 'interrupted' as const,
        );
        if (status === 'interrupted' && next() < 0.6) continue;
        await world.db
          .updateTable('executions')
          .set({
            status: status === 'completed' ? status : 'failed',
            completed_at: new Date().toISOString(),
          })
          .where('id', '=', id)
          .execute();
        if (next() < 0.4) {
          mapping++;
          sync = await world.updateSync(sync.id, settings());
        }
        id = await world.start(sync);
      }
      expect((await world.run(sync, id)).outcome).toEqual({ status: 'completed' });
      const repeated = 'select id, value, mapping from items group by 1, 2, 3 having count(*) > 1';
      expect(await world.target.query(repeated)).toEqual([]);
      const valid = await world.source.query<{ id: number; value: string }>(
        `select id, max(value) as value from items where id is not null group by id
         having count(*) = 1 and max(value) <> 'refused'`,
      );
      const there = await world.target.query<{ id: number; value: string }>(
        'select id, value from items where mapping = $1',
        [`m${mapping}`],
      );
      const known = new Set(there.map(({ id, value }) => `${id} ${value}`));
      expect(valid.filter(({ id, value }) => !known.has(`${id} ${value}`))).toEqual([]);
    }
  },
);
