import { expect, test } from 'vitest';
import { postgresqlTarget } from '../../test/support/model-targets.ts';
import { byId, replaceCases, thing } from '../../test/support/replace-cases.ts';
import { until } from '../../test/support/until.ts';

const replace = replaceCases(postgresqlTarget);

test('rows that are as they should be are not touched', async () => {
  const { target } = replace;
  await target.query(`insert into things values (2, 'i2', 'kept'), (3, 'old', 'kept')`);
  const row = () => target.query('select ctid, xmin from things where id = 2');
  const before = await row();
  expect((await replace.world.execute(await replace.replacing(byId))).counts).toMatchObject({
    insert: 3,
    update: 1,
  });
  expect(await row()).toEqual(before);
});

test('readers see the old rows or the new ones', async () => {
  const { world, things, replacing } = replace;
  await world.target.query(`insert into things values (9, 'old');
    create or replace function wait_here() returns trigger language plpgsql as
      $$ begin perform pg_advisory_xact_lock(7); return new; end $$;
    create trigger wait_here before insert on things for each row execute function wait_here()`);
  const { release } = await world.target.hold('select pg_advisory_xact_lock(7)');
  const running = world.execute(await replacing(byId));
  const waiting = `select from pg_stat_activity where wait_event = 'advisory' and datname = current_database()`;
  await until(async () => (await world.target.query(waiting)).length > 0);
  expect(await things()).toEqual([thing(9, 'old')]);
  await release();
  expect((await running).counts).toMatchObject({ insert: 5, delete: 1 });
  expect(await things()).toHaveLength(5);
});
