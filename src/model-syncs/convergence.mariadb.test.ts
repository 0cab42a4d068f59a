import { afterAll, beforeAll, test } from 'vitest';
import {
  type ConvergenceTarget,
  convergenceCases,
  expectConvergence,
} from '../../test/support/convergence.ts';
import { createMariadbDatabase, describeMariadb, type MariadbDatabase } from '../../test/support/mariadb.ts';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';

describeMariadb('into MariaDB', () => {
  let world: ModelSyncs;
  let mariadb: MariadbDatabase;
  let target: ConvergenceTarget;

  beforeAll(async () => {
    [world, mariadb] = await Promise.all([startModelSyncs(), createMariadbDatabase()]);
    const { name, query } = mariadb;
    target = {
      connectionId: await world.connect('mysql', mariadb.configuration),
      object: `${name}.items`,
      prepare: async (keyed) =>
        void (await query(`drop table if exists items; create table items (id int ${keyed ? 'primary key' : ''},
          value varchar(50) check (value <> 'refused'), extra varchar(50), note varchar(50))`)),
      query,
      rows: () => query('select cast(id as char) as id, value, extra, note from items'),
      async cutOff() {
        const others = await query<{ id: string }>(
          'select id from information_schema.processlist where db = database() and id <> connection_id()',
        );
        for (const { id } of others) await query(`kill ${id}`).catch(() => {});
      },
    };
  });
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
    await mariadb?.[Symbol.asyncDispose]();
  });

  test.each(convergenceCases)(
    '$mode, by identity: $keyed, seed $seed: the target is what the rules say',
    (one) => expectConvergence(world, target, one),
  );
});
