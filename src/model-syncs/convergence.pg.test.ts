import { afterAll, beforeAll, test } from 'vitest';
import {
  type ConvergenceTarget,
  convergenceCases,
  expectConvergence,
} from '../../test/support/convergence.ts';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';

let world: ModelSyncs;
let target: ConvergenceTarget;

beforeAll(async () => {
  world = await startModelSyncs();
  const { query } = world.target;
  target = {
    connectionId: world.targetId,
    object: 'public.items',
    prepare: async (keyed) =>
      void (await query(`drop table if exists items; create table items (id int ${keyed ? 'primary key' : ''},
        value text check (value <> 'refused'), extra text, note text)`)),
    query,
    rows: () => query('select id::text, value, extra, note from items'),
    cutOff: async () =>
      void (await query(`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`)),
  };
});
afterAll(() => world[Symbol.asyncDispose]());

test.each(convergenceCases)(
  '$mode, by identity: $keyed, seed $seed: the target is what the rules say',
  (one) => expectConvergence(world, target, one),
);
