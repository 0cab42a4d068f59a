import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createMariadbDatabase, describeMariadb, type MariadbDatabase } from '../../test/support/mariadb.ts';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import { type Receiver, startReceiver } from '../../test/support/receiver.ts';
import { createModel, deleteModel, type Model } from '../models/index.ts';
import type { ModelSyncRequest } from '../schema/model-sync.ts';
import { createModelSync } from './crud.ts';
import type { ModelSync } from './model-sync.ts';

/** Orders in PostgreSQL, their customers in MariaDB, the countries of those in a file of text. */
describeMariadb('models of three systems joined', () => {
  let world: ModelSyncs;
  let mariadb: MariadbDatabase;
  let files: Receiver;
  let countries: string;
  let orders: Model;
  let customers: Model;
  let land: Model;

  beforeAll(async () => {
    [world, mariadb, files] = await Promise.all([
      startModelSyncs(),
      createMariadbDatabase(),
      startReceiver(),
    ]);
    files.behave(() => ({ status: 200, body: countries }));
    countries = 'code,label\nde,Germany\n';
    await world.source.query('create table orders (id int primary key, customer numeric(10,2), total text)');
    await mariadb.query(
      'create table customers (no bigint unsigned, id int primary key, name varchar(50), country varchar(2))',
    );
    const mysql = await world.connect('mysql', mariadb.configuration);
    const csv = await world.connect('csv', { url: `${files.url}/countries.csv` });
    land = await model(csv, { table: 'countries' }, { name: 'Countries' });
    customers = await model(
      mysql,
      { table: `${mariadb.name}.customers` },
      { name: 'Customers', identifier: 'id', relations: [related('country', land, 'code')] },
    );
    orders = await model(
      world.sourceId,
      { table: 'public.orders' },
      { name: 'Orders', identifier: 'id', relations: [related('customer', customers, 'no')] },
    );
  });
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
    await mariadb?.[Symbol.asyncDispose]();
    await files?.close();
  });

  beforeEach(async () => {
    countries = 'code,label\nde,Germany\nfr,France\nFR,Not France\n';
    await world.source.query(`truncate orders;
      insert into orders values (1, 7.00, 'one'), (2, 8, 'two'), (3, 9, 'nobody'), (4, null, 'none'), (5, 7, 'five')`);
    await mariadb.query(`truncate customers; insert into customers values
      (7, 10, 'ten', 'fr'), (7, 9, 'nine', 'de'), (7, 11, null, null), (8, 12, 'twelve', 'xx')`);
    await world.target.query(`drop table if exists contacts;
      create table contacts (id int primary key, total text, customer int, name text, country text)`);
  });

  const related = (from: string, to: Model, field: string) => ({ from, to: { model_id: to.id, field } });
  const model = (connection_id: string, configuration: object, more: object) =>
    createModel(world.deps, world.organizationId, world.actor, {
      name: 'model',
      connection_id,
      configuration: { ...configuration },
      ...more,
    });

  const from = (one: Model, field: string) => ({ model_id: one.id, field });
  const createSync = (more: Partial<ModelSyncRequest> = {}): Promise<ModelSync> =>
    createModelSync(world.deps, world.organizationId, world.actor, {
      name: 'sync',
      mode: 'updateOrCreate',
      schedule: {},
      target: { connection_id: world.targetId, object: 'public.contacts' },
      identity: { source: from(orders, 'id'), target: 'id', function: 'Equality' },
      fields: [
        { source: from(orders, 'total'), target: 'total' },
        { source: from(customers, 'id'), target: 'customer' },
        { source: from(customers, 'name'), target: 'name' },
        { source: from(land, 'label'), target: 'country' },
      ],
      ...more,
    });
  const contacts = () => world.target.query('select * from contacts order by id');
  const warnings = async (id: string) =>
    (
      await world.db
        .selectFrom('execution_console')
        .select('message')
        .where('execution_id', '=', id)
        .where('level', '=', 'warn')
        .execute()
    ).map(({ message }) => message);

  test('values that cannot be read as they are arrive changed, and that is told', async () => {
    await mariadb.query(`create table odd (id int primary key, born date, note varchar(9));
      insert ignore into odd values (1, '2024-02-31', 'one'), (2, '2000-01-01', concat('x', char(0), 'y')), (3, null, 'three')`);
    await world.target.query('create table odd (id int primary key, born text, note text)');
    const sync = await world.createSync({
      model: await model(customers.connectionId, { table: `${mariadb.name}.odd` }, { identifier: 'id' }),
      object: 'public.odd',
      identity: ['id', 'id'],
      fields: ['born', 'note'],
    });
    const { id, counts } = await world.execute(sync);
    expect(counts).toMatchObject({ total: 3, insert: 3 });
    expect(await world.target.query('select * from odd order by id')).toEqual([
      { id: 1, born: null, note: 'one' },
      { id: 2, born: '2000-01-01', note: 'xy' },
      { id: 3, born: null, note: 'three' },
    ]);
    expect((await warnings(id)).sort()).toEqual([
      'Values of born were changed while they were read: zero_date_nulled, 1 of them (docs/types.md)',
      'Values of note were changed while they were read: nul_removed, 1 of them (docs/types.md)',
    ]);
    // What did not change is not read.
    expect(await warnings((await world.execute(sync)).id)).toEqual([]);
  });

  test('every record arrives with its partners, over two steps; what has none has NULL', async () => {
    const sync = await createSync();
    const { id, outcome, counts } = await world.execute(sync);
    expect({ outcome, counts }).toMatchObject({ outcome: { status: 'completed' }, counts: { insert: 5 } });
    expect(await contacts()).toEqual([
      { id: 1, total: 'one', customer: 9, name: 'nine', country: 'Germany' },
      { id: 2, total: 'two', customer: 12, name: 'twelve', country: null },
      { id: 3, total: 'nobody', customer: null, name: null, country: null },
      { id: 4, total: 'none', customer: null, name: null, country: null },
      { id: 5, total: 'five', customer: 9, name: 'nine', country: 'Germany' },
    ]);
    expect(await warnings(id)).toEqual([
      '2 records have several partners in model Customers: of these the smallest by id was taken',
    ]);
    expect((await world.execute(sync)).counts).toMatchObject({ total: 0 });
  });

  test('a change of a partner is a change of the record, near or far; so are its coming and going', async () => {
    const sync = await createSync();
    await world.execute(sync);
    await mariadb.query(`update customers set name = 'NINE' where id = 9`);
    countries = 'code,label\nde,Deutschland\n';
    const changed = await world.execute(sync);
    expect(changed.counts).toMatchObject({ total: 2, update: 2 });
    expect(await world.log(changed.id, 'updates')).toMatchObject([
      { id: '1', name: 'NINE', country: 'Deutschland' },
      { id: '5', name: 'NINE', country: 'Deutschland' },
    ]);

    await mariadb.query(`delete from customers where no = 8; update customers set no = 9 where id = 10`);
    expect((await world.execute(sync)).counts).toMatchObject({ total: 2, update: 2 });
    const rows = await contacts();
    expect(rows[1]).toEqual({ id: 2, total: 'two', customer: null, name: null, country: null });
    expect(rows[2]).toEqual({ id: 3, total: 'nobody', customer: 10, name: 'ten', country: null });
    expect((await world.execute(sync)).counts).toMatchObject({ total: 0 });
  });

  test('a dry run counts what the join would send', async () => {
    const sync = await createSync();
    expect((await world.execute(sync, { test: true })).counts).toMatchObject({ total: 5, insert: 5 });
    expect(await contacts()).toEqual([]);
    await world.execute(sync);
    await mariadb.query(`update customers set name = 'NINE' where id = 9`);
    expect((await world.execute(sync, { test: true })).counts).toMatchObject({ total: 2, update: 2 });
    expect((await world.execute(sync, { identities: ['5', '2'] })).counts).toMatchObject({ update: 1 });
    expect((await contacts()).map(({ name }) => name)).toEqual(['nine', 'twelve', null, null, 'NINE']);
  });

  test('filters look at what the join gives, whichever model their field is of', async () => {
    const where = (filter_logic: string) => ({
      filters: [
        { field: from(customers, 'name'), function: 'StringStartsWith', value: 'n' },
        { field: from(land, 'label'), function: 'IsNull' },
        { field: from(orders, 'id'), function: 'LessThan', value: 5 },
        { field: from(customers, 'no'), function: 'IsNotNull' },
      ],
      filter_logic,
    });
    const synced = async (more: Partial<ModelSyncRequest>) => {
      await world.target.query('truncate contacts');
      const sync = await createSync(more);
      await world.execute(sync);
      return (await contacts()).map(({ id }) => id);
    };
    expect(await synced(where('A or (B and C and D)'))).toEqual([1, 2, 5]);
    expect(await synced(where('C and (not A) and (B or D)'))).toEqual([2, 3, 4]);
    expect(await synced(where('C and (A or B) and not D'))).toEqual([3, 4]);
    expect(await synced({ filters: where('').filters.slice(0, 1) })).toEqual([1, 5]);
  });

  test('an identity of a related model: where several records share it, each is an error', async () => {
    const sync = await createSync({
      identity: { source: from(customers, 'id'), target: 'id', function: 'Equality' },
      fields: [{ source: from(orders, 'total'), target: 'total' }],
    });
    const { id, counts } = await world.execute(sync);
    expect(counts).toMatchObject({ total: 5, insert: 1, error: 4 });
    expect(await contacts()).toMatchObject([{ id: 12, total: 'two' }]);
    expect(await world.log(id, 'errors')).toEqual([
      ...Array(2).fill({ identity: { id: '9' }, reason: expect.stringContaining('2 records') }),
      ...Array(2).fill({ identity: { id: null }, reason: 'the identity is NULL' }),
    ]);
  });

  test('a worker that takes over goes on with what was joined: no model is read again', async () => {
    const sync = await createSync();
    const id = await world.start(sync);
    let commits = 0;
    const killed = await world.run(sync, id, (run) => ({
      ...run,
      async commit(progress, work) {
        await run.commit(progress, work);
        if (progress.checkpoint !== undefined && ++commits === 1) throw new Error('killed');
      },
    }));
    expect(killed.outcome.status).toBe('interrupted');
    const reads = files.requests.length;
    await world.source.query('truncate orders');
    await mariadb.query('truncate customers');
    expect((await world.run(sync, id)).outcome).toEqual({ status: 'completed' });
    expect(await contacts()).toHaveLength(5);
    expect((await contacts())[0]).toMatchObject({ name: 'nine', country: 'Germany' });
    expect(files.requests).toHaveLength(reads);
  });

  test('replace, overrides and whole records know fields of related models', async () => {
    const fields = [
      { source: from(orders, 'total'), target: 'total' },
      { source: from(customers, 'id'), target: 'customer' },
      { source: from(land, 'label'), target: 'country' },
    ];
    const overrides = [
      { field: from(land, 'label'), function: 'IsNull', override: 'Nowhere' },
      { field: from(customers, 'id'), function: 'Equality', value: 12, override: 13 },
    ];
    await world.target.query(
      `insert into contacts values (1, 'old', 9, 'kept', 'Germany'), (99, 'gone', null, null, null)`,
    );
    const { counts } = await world.execute(await createSync({ mode: 'replace', fields, overrides }));
    expect(counts).toMatchObject({ total: 5, insert: 4, update: 1, delete: 1 });
    expect(await contacts()).toMatchObject([
      { id: 1, total: 'one', customer: 9, name: 'kept', country: 'Germany' },
      { id: 2, total: 'two', customer: 13, name: null, country: 'Nowhere' },
      { id: 3, customer: null, country: 'Nowhere' },
      { id: 4, customer: null, country: 'Nowhere' },
      { id: 5, customer: 9, country: 'Germany' },
    ]);

    const hook = await world.connect('webhook', { url: `${files.url}/hook` });
    const sent = files.requests.length;
    const sync = await createSync({
      target: { connection_id: hook, object: 'http' },
      identity: { source: from(orders, 'id'), target: 'record', function: 'Equality' },
      fields: fields.map(({ source }) => ({ source, target: 'record' })),
      filters: [{ field: from(land, 'label'), function: 'IsNotNull' }],
    });
    const { id } = await world.execute(sync);
    const bodies = files.requests.slice(sent).filter(({ url }) => url === '/hook');
    const records = bodies.flatMap(({ body }) => JSON.parse(`${body}`).object.records) as {
      fields: object;
    }[];
    const record = { id: 1, total: 'one', Customers_id: 9, label: 'Germany' };
    expect(records.map((one) => one.fields)).toEqual([record, { ...record, id: 5, total: 'five' }]);
    expect(await world.log(id, 'records')).toContainEqual(record);
  });

  test('relations may start in the JSON of a field; tracking columns do not hide what changes in partners', async () => {
    await world.source.query(`drop table if exists visits;
      create table visits (id int primary key, stamp int, doc text);
      insert into visits values (1, 1, '{"who": {"no": 8.0}}'), (2, 1, '{"who": "nobody"}'), (3, 1, 'broken')`);
    const visits = await model(
      world.sourceId,
      { table: 'public.visits' },
      {
        identifier: 'id',
        additional_fields: [{ name: 'doc.who.no', label: 'No', type: 'number' }],
        tracking_columns: ['stamp'],
        relations: [related('doc.who.no', customers, 'no')],
      },
    );
    const sync = await createSync({
      identity: { source: from(visits, 'id'), target: 'id', function: 'Equality' },
      fields: [
        { source: from(visits, 'stamp'), target: 'total' },
        { source: from(customers, 'name'), target: 'name' },
      ],
    });
    const first = await world.execute(sync);
    expect(first.counts).toMatchObject({ total: 3, insert: 2, error: 1 });
    expect(await world.log(first.id, 'errors')).toMatchObject([
      { identity: { id: '3' }, reason: expect.stringContaining('doc is not valid JSON') },
    ]);
    expect(await contacts()).toMatchObject([
      { id: 1, name: 'twelve' },
      { id: 2, name: null },
    ]);
    await mariadb.query(`update customers set name = 'TWELVE' where no = 8`);
    expect((await world.execute(sync)).counts).toMatchObject({ total: 2, update: 1, error: 1 });
    expect((await contacts())[0]).toMatchObject({ id: 1, name: 'TWELVE' });
    await world.source.query(`update visits set doc = '{"who": {"no": 7}}'`);
    expect((await world.execute(sync)).counts).toMatchObject({ total: 3, insert: 1, update: 2, error: 0 });
    expect((await contacts()).map(({ name }) => name)).toEqual(['nine', 'nine', 'nine']);
  });

  test('a related model that cannot be read, or is gone, fails the execution by name', async () => {
    const other = await model(world.sourceId, { table: 'public.orders' }, { name: 'Other' });
    const body = { identifier: 'id', relations: [related('id', other, 'id')] };
    const base = await model(world.sourceId, { table: 'public.orders' }, body);
    const sync = await createSync({
      identity: { source: from(base, 'id'), target: 'id', function: 'Equality' },
      fields: [{ source: from(other, 'total'), target: 'total' }],
    });
    expect((await world.execute(sync)).counts).toMatchObject({ insert: 5 });
    await deleteModel(world.db, world.organizationId, other.id);
    expect((await world.execute(sync)).outcome).toEqual({
      status: 'failed',
      errors: [expect.stringContaining(`no relation of this model leads to model ${other.id} any more`)],
    });
    await mariadb.query('alter table customers rename column name to called');
    try {
      const { outcome } = await world.execute(await createSync());
      expect(outcome).toMatchObject({
        status: 'failed',
        errors: [expect.stringContaining('no field "name" any more')],
      });
    } finally {
      await mariadb.query('alter table customers rename column called to name');
    }
  });
});
