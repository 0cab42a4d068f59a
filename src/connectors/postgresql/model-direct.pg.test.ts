import { afterAll, beforeAll, expect, test } from 'vitest';
import { postgresqlConfiguration } from '../../../test/support/http.ts';
import { type ModelSyncs, startModelSyncs } from '../../../test/support/model-syncs.ts';

let world: ModelSyncs;

beforeAll(async () => {
  world = await startModelSyncs();
  await world.source.query('create table people (id int primary key, name text)');
});
afterAll(() => world[Symbol.asyncDispose]());

/** People from 1 to n of the model. */
async function fill(n: number): Promise<void> {
  await world.source.query(`truncate people`);
  await world.source.query(`insert into people select n, 'p' || n from generate_series(1, ${n}) n`);
}

async function syncTo(object: string, connectionId = world.targetId) {
  const model = await world.createModel({ table: 'public.people' }, 'id');
  return world.createSync({ model, object, connectionId, identity: ['id', 'id'], fields: ['name'] });
}

test('batches of new records and batches with known ones among them take turns', async () => {
  await fill(10_000);
  // Of batches of 2,000: the second and the last have known records.
  await world.target.query(`create table persons (id int primary key, name text, since int default 7);
    insert into persons select n, 'before', 3 from generate_series(2500, 2600) n;
    insert into persons values (10000, 'before', 3)`);
  const { outcome, counts } = await world.execute(await syncTo('public.persons'));
  expect(outcome).toEqual({ status: 'completed' });
  expect(counts).toMatchObject({ total: 10_000, insert: 9898, update: 102 });
  const [row] = await world.target.query(
    `select count(*)::int as rows, count(*) filter (where name = 'p' || id)::int as right,
       count(*) filter (where since = 3)::int as known, count(*) filter (where since = 7)::int as new from persons`,
  );
  expect(row).toEqual({ rows: 10_000, right: 10_000, known: 102, new: 9898 });
});

test('the record that breaks a rule of the table is refused alone, whatever it breaks', async () => {
  await fill(6_000);
  await world.target.query(`create table unlike (id int primary key, name varchar(5) unique);
    insert into unlike values (-1, 'p4500')`);
  await world.source.query(`update people set name = 'too long' where id = 100;
    update people set name = 'p3001' where id = 3500`);
  const sync = await syncTo('public.unlike');
  const { id, counts } = await world.execute(sync);
  expect(counts).toMatchObject({ total: 6_000, insert: 5_997, error: 3 });
  const errors = (await world.log(id, 'errors')) as { identity: { id: string } }[];
  expect(errors.map(({ identity }) => identity.id).toSorted()).toEqual(['100', '3500', '4500']);
});

test('rules and policies of the target have their say', async () => {
  await fill(10);
  await world.target.query(`create table ruled (id int primary key, name text); create table aside (id int, name text);
    create rule aside as on insert to ruled where new.id > 5 do also insert into aside values (new.id, new.name)`);
  expect((await world.execute(await syncTo('public.ruled'))).counts).toMatchObject({ insert: 10 });
  expect(await world.target.query('select id from aside')).toHaveLength(5);

  const role = `writer_${crypto.randomUUID().replaceAll('-', '')}`;
  await world.target.query(`create table guarded (id int primary key, name text);
    alter table guarded enable row level security;
    create policy seen on guarded using (true);
    create role ${role} login password 'secret'; grant all on guarded to ${role}`);
  try {
    const url = new URL(world.target.url);
    [url.username, url.password] = [role, 'secret'];
    const connectionId = await world.connect('postgresql', {
      ...postgresqlConfiguration(url.href),
      client_certs: false,
    });
    const { counts } = await world.execute(await syncTo('public.guarded', connectionId));
    expect(counts).toMatchObject({ insert: 10 });
  } finally {
    await world.target.query(`drop owned by ${role}; drop role ${role}`);
  }
});

test('columns that are not written keep the rules of their domain', async () => {
  await fill(3);
  await world.target.query(`create domain present as text check (value is not null);
    create table present_only (id int primary key, name text, more present)`);
  const sync = await syncTo('public.present_only');
  expect((await world.execute(sync)).counts).toMatchObject({ total: 3, error: 3 });
  expect(await world.target.query('select * from present_only')).toEqual([]);
  await world.target.query(`alter table present_only alter more set default 'here'`);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 3, insert: 3 });
});

test('an identity that the target makes itself is not written', async () => {
  await fill(3);
  await world.target.query('create table numbered (id int primary key, name text)');
  const sync = await syncTo('public.numbered');
  await world.target.query('alter table numbered alter id add generated always as identity');
  const { outcome } = await world.execute(sync);
  expect(outcome).toMatchObject({ status: 'failed' });
  expect(await world.target.query('select * from numbered')).toEqual([]);
});
