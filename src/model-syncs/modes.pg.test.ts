import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import { postgresqlConfiguration } from '../../test/support/http.ts';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import { until } from '../../test/support/until.ts';
import { updateConnection } from '../connections/index.ts';
import { createModelSync } from './index.ts';

let world: ModelSyncs;

beforeAll(async () => {
  world = await startModelSyncs();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  await world.source.query(`
    drop table if exists customers;
    create table customers (id bigint primary key, email text, visits int);
    insert into customers select n, 'c' || n || '@example.com', n from generate_series(1, 5) n`);
  await world.target.query(`
    drop table if exists contacts;
    create table contacts (contact_id bigint primary key, email text, visits int)`);
});

const customers = () => world.createModel({ table: 'public.customers' }, 'id');
const contacts = () => world.target.query('select * from contacts order by 1, 2');
const contact = (id: number, email = `c${id}@example.com`, visits = id) => ({
  contact_id: String(id),
  email,
  visits,
});

test('updateOrCreate: inserts, then nothing, then what has changed', async () => {
  await world.target.query(`insert into contacts values (2, 'old', 0), (99, 'not ours', 0)`);
  const sync = await world.createSync({
    model: await customers(),
    mode: 'updateOrCreate',
    identity: ['id', 'contact_id'],
    fields: ['email', 'visits'],
  });
  const first = await world.execute(sync);
  expect(first.outcome).toEqual({ status: 'completed' });
  expect(first.counts).toMatchObject({ total: 5, insert: 4, update: 1 });
  expect(await contacts()).toEqual([...[1, 2, 3, 4, 5].map((id) => contact(id)), contact(99, 'not ours', 0)]);
  expect(await world.log(first.id, 'records')).toHaveLength(5);
  expect(await world.log(first.id, 'inserts')).toHaveLength(4);
  expect(await world.log(first.id, 'updates')).toEqual([
    { contact_id: '2', email: 'c2@example.com', visits: 2 },
  ]);

  // Changed behind our back: nothing may be sent for a record that is the same in the source.
  await world.target.query(`update contacts set email = 'touched' where contact_id = 1`);
  const second = await world.execute(sync);
  expect(second.counts).toMatchObject({ total: 0 });
  expect(await world.log(second.id, 'records')).toEqual([]);
  expect((await contacts())[0]).toMatchObject({ email: 'touched' });

  await world.source.query(
    `update customers set visits = 30 where id = 3; insert into customers values (6, null, 6)`,
  );
  const third = await world.execute(sync);
  expect(third.counts).toMatchObject({ total: 2, insert: 1, update: 1 });
  expect((await contacts())[2]).toEqual(contact(3, undefined, 30));
  expect((await contacts())[5]).toEqual({ contact_id: '6', email: null, visits: 6 });
});

test('records are looked for in the index of the target, however little it knows of itself', async () => {
  await world.source.query(`insert into customers select n, 'c' || n, n from generate_series(6, 8000) n`);
  const fields = ['email', 'visits'];
  const sync = await world.createSync({ model: await customers(), identity: ['id', 'contact_id'], fields });
  expect((await world.execute(sync)).counts).toMatchObject({ total: 8000, insert: 8000 });
  await world.source.query('update customers set visits = visits + 1');
  expect((await world.execute(sync)).counts).toMatchObject({ total: 8000, update: 8000 });
  await until(async () => {
    const [row] = await world.target.query<{ lookups: string }>(
      `select idx_scan as lookups from pg_stat_user_tables where relname = 'contacts'`,
    );
    return Number(row?.lookups) >= 8000;
  });
});

test('create: existing records stay as they are, and are not offered again', async () => {
  await world.target.query(`insert into contacts values (2, 'old', 0)`);
  const sync = await world.createSync({
    model: await customers(),
    mode: 'create',
    identity: ['id', 'contact_id'],
    fields: ['email', 'visits'],
  });
  expect((await world.execute(sync)).counts).toMatchObject({ total: 5, insert: 4 });
  expect((await contacts())[1]).toEqual(contact(2, 'old', 0));
  await world.source.query(
    `update customers set email = 'new'; insert into customers values (6, 'c6@example.com', 6)`,
  );
  expect((await world.execute(sync)).counts).toMatchObject({ total: 1, insert: 1 });
  expect((await contacts()).map((row) => row.email)).not.toContain('new');
  const offered = await world.execute(sync, { test: true, resync: true });
  expect(offered.counts).toMatchObject({ total: 6, insert: 0 });
  expect(offered.counts.update ?? 0).toBe(0);
});

test('update: creates nothing, and finds what appears later', async () => {
  await world.target.query(`insert into contacts values (2, 'old', 0)`);
  const sync = await world.createSync({
    model: await customers(),
    mode: 'update',
    identity: ['id', 'contact_id'],
    fields: ['email'],
  });
  const first = await world.execute(sync);
  expect(first.counts).toMatchObject({ total: 5, update: 1 });
  expect(first.counts.insert ?? 0).toBe(0);
  expect(await contacts()).toEqual([contact(2, undefined, 0)]);
  await world.target.query(`insert into contacts values (4, 'late', 0)`);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 4, update: 1 });
  expect(await contacts()).toEqual([contact(2, undefined, 0), contact(4, undefined, 0)]);
});

test('remove: what the model has is deleted, once; what it does not find is looked for again', async () => {
  await world.target.query(`insert into contacts select n, 'there', 0 from generate_series(1, 3) n;
    insert into contacts values (99, 'not ours', 0)`);
  const sync = await world.createSync({
    model: await customers(),
    mode: 'remove',
    identity: ['id', 'contact_id'],
    fields: [],
  });
  const first = await world.execute(sync);
  expect(first.counts).toMatchObject({ total: 5, delete: 3 });
  expect(await world.log(first.id, 'deletes')).toEqual(['1', '2', '3'].map((contact_id) => ({ contact_id })));
  expect(await contacts()).toEqual([contact(99, 'not ours', 0)]);

  // 1 is not ours to watch over, 4 was never there before, 3 leaves the model and comes back.
  await world.target.query(`insert into contacts select n, 'again', 0 from (values (1), (3), (4)) v (n)`);
  await world.source.query('delete from customers where id = 3');
  expect((await world.execute(sync)).counts).toMatchObject({ total: 2, delete: 1 });
  await world.source.query(`insert into customers values (3, 'c3@example.com', 3)`);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 2, delete: 1 });
  expect((await contacts()).map((row) => row.contact_id)).toEqual(['1', '99']);
  expect((await world.execute(sync, { resync: true })).counts).toMatchObject({ total: 5, delete: 1 });
});

test('what was sent is removed when the mode becomes that, and sent again when it was that', async () => {
  const settings = {
    model: await customers(),
    identity: ['id', 'contact_id'] as [string, string],
    fields: ['email'],
  };
  const sync = await world.createSync(settings);
  await world.execute(sync);
  await world.updateSync(sync.id, { ...settings, mode: 'remove' });
  expect((await world.execute(sync)).counts).toMatchObject({ total: 5, delete: 5 });
  expect((await world.execute(sync)).counts).toMatchObject({ total: 0 });
  await world.updateSync(sync.id, settings);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 5, insert: 5 });
  expect(await contacts()).toHaveLength(5);
});

test('a row that fits and is being changed by somebody else is updated, not added once more', async () => {
  await world.target.query(`create table sites (url text, email text)`);
  await world.target.query(`insert into sites values ('https://example.com/a', 'old')`);
  await world.source.query(`create view site as select 'example.com' as host, 'new' as email`);
  const { id: model_id } = await world.createModel({ view: 'public.site' }, 'host');
  const sync = await createModelSync(world.deps, world.organizationId, world.actor, {
    name: 'sites',
    mode: 'updateOrCreate',
    schedule: {},
    target: { connection_id: world.targetId, object: 'public.sites' },
    identity: { source: { model_id, field: 'host' }, target: 'url', function: 'DomainMatch' },
    fields: [{ source: { model_id, field: 'email' }, target: 'email' }],
  });
  const somebody = new pg.Client({ connectionString: world.target.url });
  await somebody.connect();
  try {
    await somebody.query(`begin; update sites set url = 'https://example.com/b'`);
    const executed = world.execute(sync);
    await until(async () => {
      const rows = await world.target.query(
        `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
      );
      return rows.length > 0;
    });
    await somebody.query('commit');
    expect(await executed).toMatchObject({ outcome: { status: 'completed' }, counts: { total: 1 } });
  } finally {
    await somebody.end();
  }
  await world.execute(sync);
  expect(await world.target.query('select * from sites')).toEqual([
    { url: 'https://example.com/b', email: 'new' },
  ]);
});

test('constants: every record gets them, and another one sends every record again', async () => {
  await world.target.query('alter table contacts add origin text, add rank int');
  const model = await customers();
  const settings = {
    model,
    identity: ['id', 'contact_id'] as [string, string],
    fields: ['email'],
    override_fields: [
      { target: 'origin', override_value: 'shop' },
      { target: 'rank', override_value: '7' },
    ],
  };
  const sync = await world.createSync(settings);
  const first = await world.execute(sync);
  expect(first.counts).toMatchObject({ total: 5, insert: 5 });
  expect((await contacts())[0]).toMatchObject({ email: 'c1@example.com', origin: 'shop', rank: 7 });
  expect((await world.log(first.id, 'inserts'))[0]).toEqual({
    contact_id: '1',
    email: 'c1@example.com',
    origin: 'shop',
    rank: '7',
  });
  expect((await world.execute(sync)).counts).toMatchObject({ total: 0 });
  await world.updateSync(sync.id, {
    ...settings,
    override_fields: [{ target: 'rank', override_value: '8' }],
  });
  expect((await world.execute(sync)).counts).toMatchObject({ total: 5, update: 5 });
  expect((await contacts())[4]).toMatchObject({ origin: 'shop', rank: 8 });
});

test('an identity that the target fills in by itself can be looked for, and not be created', async () => {
  await world.target.query(`alter table contacts alter contact_id add generated always as identity;
    insert into contacts overriding system value values (3, 'old', 0)`);
  const settings = {
    model: await customers(),
    identity: ['id', 'contact_id'] as [string, string],
    fields: ['email'],
  };
  for (const mode of ['create', 'append', 'updateOrCreate', 'replace'] as const)
    await expect(world.createSync({ ...settings, mode }), mode).rejects.toThrow('filled in by the target');
  const sync = await world.createSync({ ...settings, mode: 'update' });
  expect((await world.execute(sync)).counts).toMatchObject({ total: 5, update: 1 });
});

test('a value that is too long for its column is refused, not cut off', async () => {
  await world.target.query('alter table contacts alter email type varchar(14)');
  await world.source.query(`update customers set email = 'much.longer@example.com' where id = 3`);
  const sync = await world.createSync({
    model: await customers(),
    identity: ['id', 'contact_id'],
    fields: ['email', 'visits'],
  });
  const executed = await world.execute(sync);
  expect(executed.counts).toMatchObject({ total: 5, insert: 4, error: 1 });
  expect(await world.log(executed.id, 'errors')).toEqual([
    expect.objectContaining({ identity: { contact_id: '3' }, reason: expect.stringContaining('too long') }),
  ]);
});

test('append: a row for every new and every changed record', async () => {
  await world.target.query('alter table contacts drop constraint contacts_pkey');
  const sync = await world.createSync({
    model: await customers(),
    mode: 'append',
    fields: [['id', 'contact_id'], 'email', 'visits'],
  });
  expect((await world.execute(sync)).counts).toMatchObject({ total: 5, insert: 5 });
  await world.source.query(`update customers set visits = 30 where id = 3`);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 1, insert: 1 });
  expect((await contacts()).filter((row) => row.contact_id === '3').map((row) => row.visits)).toEqual([
    3, 30,
  ]);
});

test('append of a model without an identifier: equal rows are different records', async () => {
  await world.source.query(`create or replace view pairs as select email, visits from customers union all
    select email, visits from customers where id = 1`);
  await world.target.query(
    'alter table contacts drop constraint contacts_pkey, alter contact_id drop not null',
  );
  const model = await world.createModel({ query: 'select * from pairs' });
  const sync = await world.createSync({ model, mode: 'append', fields: ['email', 'visits'] });
  expect((await world.execute(sync)).counts).toMatchObject({ total: 6, insert: 6 });
  expect((await world.execute(sync)).counts).toMatchObject({ total: 0 });
  const turned = await world.updateSync(sync.id, { model, mode: 'append', fields: ['visits', 'email'] });
  expect((await world.execute(turned)).counts).toMatchObject({ total: 0 });
  await world.source.query('drop view pairs');
});

test('resync, sync_all_records, identities, test and skip_initial_backfill', async () => {
  const settings = {
    model: await customers(),
    identity: ['id', 'contact_id'] as [string, string],
    fields: ['email', 'visits'],
  };
  const sync = await world.createSync(settings);
  const dry = await world.execute(sync, { test: true });
  expect(dry.counts).toMatchObject({ total: 5, insert: 5 });
  expect(await contacts()).toEqual([]);

  expect((await world.execute(sync, { identities: ['2', '4', 'none'] })).counts).toMatchObject({ insert: 2 });
  expect((await contacts()).map((row) => row.contact_id)).toEqual(['2', '4']);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 3, insert: 3 });
  expect((await world.execute(sync, { resync: true })).counts).toMatchObject({ total: 5, update: 5 });

  const all = await world.createSync({ ...settings, sync_all_records: true });
  await world.execute(all);
  expect((await world.execute(all)).counts).toMatchObject({ total: 5, update: 5 });

  await world.target.query('truncate contacts');
  const some = await world.createSync({ ...settings, skip_initial_backfill: true });
  // Records that are asked for by name are sent; the rest of the backfill is skipped all the same.
  expect((await world.execute(some, { identities: ['2'] })).counts).toMatchObject({ total: 1, insert: 1 });
  expect((await world.execute(some)).counts).toMatchObject({ total: 0 });
  await world.target.query('truncate contacts');
  const later = await world.createSync({ ...settings, skip_initial_backfill: true });
  expect((await world.execute(later)).counts).toMatchObject({ total: 0 });
  await world.source.query('update customers set visits = 0 where id = 1');
  expect((await world.execute(later)).counts).toMatchObject({ total: 1, insert: 1 });
  expect(await contacts()).toEqual([contact(1, undefined, 0)]);
});

test('another mapping sends every record again; another target starts from nothing', async () => {
  const settings = {
    model: await customers(),
    identity: ['id', 'contact_id'] as [string, string],
    fields: ['email', 'visits'],
  };
  const sync = await world.createSync(settings);
  await world.execute(sync);
  const turned = await world.updateSync(sync.id, { ...settings, fields: ['visits', 'email'] });
  expect((await world.execute(turned)).counts).toMatchObject({ total: 0 });
  // The same source fields: only where they go has changed.
  await world.target.query('alter table contacts add mail text');
  const moved = await world.updateSync(sync.id, { ...settings, fields: [['email', 'mail'], 'visits'] });
  expect((await world.execute(moved)).counts).toMatchObject({ total: 5, update: 5 });

  await world.target.query('create table others (like contacts including all)');
  const other = await world.updateSync(sync.id, { ...settings, object: 'public.others' });
  expect((await world.execute(other)).counts).toMatchObject({ total: 5, insert: 5 });
  expect(await world.target.query('select contact_id from others')).toHaveLength(5);
  await world.target.query('drop table others');
});

test('a connection that leads to another database is another target; told otherwise it is the same', async () => {
  await using other = await createDatabase();
  await other.query('create table contacts (contact_id bigint primary key, email text, visits int)');
  const configuration = postgresqlConfiguration(world.target.url);
  const connectionId = await world.connect('postgresql', configuration);
  const lead = (changes: object) =>
    updateConnection(world.deps, world.organizationId, world.actor, connectionId, {
      name: 'moving',
      configuration: { ...configuration, ...changes },
      validate: true,
    });
  const sync = await world.createSync({
    model: await customers(),
    connectionId,
    identity: ['id', 'contact_id'],
    fields: ['email', 'visits'],
  });
  await world.execute(sync);
  await lead({ change_detection: false });
  expect((await world.execute(sync)).counts).toMatchObject({ total: 0 });
  await lead({ database: new URL(other.url).pathname.slice(1) });
  expect((await world.execute(sync)).counts).toMatchObject({ total: 5, insert: 5 });
  expect(await other.query('select contact_id from contacts')).toHaveLength(5);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 0 });
});

test('a create-only field is written once, and filled in where there is nothing', async () => {
  const model = await customers();
  const from = { model_id: model.id, field: 'visits' };
  const once = await createModelSync(world.deps, world.organizationId, world.actor, {
    name: 'once',
    mode: 'updateOrCreate',
    schedule: {},
    target: { connection_id: world.targetId, object: 'public.contacts' },
    identity: { source: { ...from, field: 'id' }, target: 'contact_id', function: 'Equality' },
    fields: [
      { source: from, target: 'visits', sync_mode: 'create' },
      { source: { ...from, field: 'email' }, target: 'email' },
    ],
  });
  await world.execute(once);
  await world.source.query(`update customers set visits = 50, email = 'new' where id = 1`);
  await world.execute(once);
  expect((await contacts())[0]).toEqual(contact(1, 'new', 1));
  await world.target.query('update contacts set visits = null where contact_id = 1');
  await world.source.query(`update customers set email = 'newer' where id = 1`);
  await world.execute(once);
  expect((await contacts())[0]).toEqual(contact(1, 'newer', 50));
});
