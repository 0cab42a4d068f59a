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

test('what triggers and policies refuse or keep out is an error of its record', async () => {
  const { world, target } = replace;
  const role = `replacing_${crypto.randomUUID().slice(0, 8)}`;
  await target.query(`drop table things; create table things (id int primary key, name text);
    create function judge() returns trigger language plpgsql as $$ begin
      if new.name = 'raised' then raise 'not this one' using errcode = '42501'; end if;
      if new.name = 'kept out' then return null; end if;
      return new; end $$;
    create trigger judge before insert on things for each row execute function judge();
    alter table things enable row level security; create policy p on things using (true) with check (name <> 'policed');
    create role ${role} login password 'plain'; grant all on things to ${role}`);
  await world.source.query(`update items set name = 'raised' where id = 2;
    update items set name = 'kept out' where id = 3; update items set name = 'policed' where id = 4`);
  const sync = await world.createSync({
    model: await world.createModel({ table: 'public.items' }),
    connectionId: await world.connectAs(role, 'plain'),
    ...{ mode: 'replace', object: 'public.things', fields: ['name'], ...byId },
  });
  const { id, outcome, counts } = await world.execute(sync);
  expect(outcome).toEqual({ status: 'completed' });
  expect(counts).toMatchObject({ total: 5, insert: 2, error: 3 });
  const errors = (await world.log(id, 'errors')) as { identity: { id: string }; reason: string }[];
  expect(errors.map(({ identity, reason }) => [identity.id, reason])).toEqual([
    ['2', 'not this one'],
    ['3', expect.stringContaining('kept the row out')],
    ['4', expect.stringContaining('row-level security')],
  ]);
});

test('rows that refer to each other are not refused beside one that is', async () => {
  const { world, target } = replace;
  await target.query(`drop table things; create table things (id int primary key, name text, up int references things,
    note text not null default 'none', check (name <> note))`);
  await world.source.query(`drop table items; create table items (id int, name text, up int);
    insert into items select n, case when n = 7 then 'none' else 'i' || n end, case when n <> 34 then 41 - n end
    from generate_series(1, 40) n`);
  const sync = await world.createSync({
    model: await world.createModel({ table: 'public.items' }),
    ...{ mode: 'replace', object: 'public.things', fields: ['name', 'up'], ...byId },
  });
  const { id, outcome, counts } = await world.execute(sync);
  expect(outcome).toEqual({ status: 'completed' });
  expect(counts).toMatchObject({ total: 40, insert: 39, error: 1 });
  expect(await world.log(id, 'errors')).toMatchObject([{ identity: { id: '7' } }]);
  // One that would be in want of what is refused: which one it is is not searched for.
  await world.source.query('update items set up = 7 where id = 34');
  expect((await world.execute(sync)).outcome).toMatchObject({
    status: 'failed',
    errors: [expect.stringMatching(/as it was: .*foreign key/)],
  });
});
