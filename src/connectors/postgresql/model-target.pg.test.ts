import { expect, onTestFinished, test } from 'vitest';
import { type ModelSyncs, startModelSyncs } from '../../../test/support/model-syncs.ts';
import { openConnection } from '../../connections/index.ts';

test('modes are those that the user has the rights for; columns and views may be granted', async () => {
  const world: ModelSyncs = await startModelSyncs();
  onTestFinished(() => world[Symbol.asyncDispose]());
  const role = `granted_${crypto.randomUUID().slice(0, 8)}`;
  await world.target.query(`create role ${role} login password 'plain'; create table whole (id int primary key, a text, b text);
    create table appended (id int); create table partly (id int primary key, a text, b text);
    create table closed (id int); create view seen as select id, a from partly; create view counted as select count(*) from whole;
    grant all on whole, seen, counted to ${role}; grant insert on appended to ${role};
    grant select, insert (id, a), update (a) on partly to ${role}; grant select on closed to ${role}`);
  const connectionId = await world.connectAs(role, 'plain');
  const { session } = await openConnection(world.deps, world.organizationId, connectionId);
  const objects = (await session.modelDestination?.objects()) ?? [];
  const fields = (await session.modelDestination?.fields('public.partly')) ?? [];
  await session.close();
  const writing = ['create', 'update', 'updateOrCreate', 'append'];
  expect(objects.map(({ id, modes }) => [id, modes])).toEqual([
    ['public.appended', ['append']],
    ['public.partly', writing],
    ['public.seen', [...writing, 'remove']],
    ['public.whole', [...writing, 'replace', 'remove']],
  ]);
  expect(fields.map(({ id, createable, updateable }) => [id, createable, updateable])).toEqual([
    ['id', true, false],
    ['a', true, true],
    ['b', false, false],
  ]);

  await world.source.query(
    `create table people as select n as id, 'p' || n as a from generate_series(1, 5) n`,
  );
  const model = await world.createModel({ table: 'public.people' });
  for (const object of ['public.partly', 'public.seen']) {
    const sync = await world.createSync({
      ...{ model, connectionId, object, identity: ['id', 'id'] as [string, string], fields: ['a'] },
    });
    const { outcome, counts } = await world.execute(sync);
    expect([outcome.status, counts.error, counts.total], object).toEqual(['completed', 0, 5]);
  }
  expect(await world.target.query('select count(*)::int as n from partly')).toEqual([{ n: 5 }]);
});
