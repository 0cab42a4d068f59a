import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeMariadb } from '../../test/support/mariadb.ts';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import {
  duckdbTarget,
  type ModelTarget,
  mariadbTarget,
  postgresqlTarget,
} from '../../test/support/model-targets.ts';
import { describeCreateProperty, describeTarget, listTargetObjects, presentCreator } from './index.ts';

describe('PostgreSQL', () => cases(postgresqlTarget));
describeMariadb('MariaDB', () => cases(mariadbTarget));
describe('DuckDB', () => cases(duckdbTarget));

const types = {
  postgresql: [
    'bigint',
    'character varying(40)',
    'numeric(20,4)',
    'timestamp with time zone',
    'jsonb',
    'text',
  ],
  mysql: ['bigint(20)', 'varchar(40)', 'decimal(20,4)', 'datetime(6)', 'longtext', 'longtext'],
  duckdb: ['BIGINT', 'VARCHAR', 'DECIMAL(20,4)', 'TIMESTAMP WITH TIME ZONE', 'JSON', 'VARCHAR'],
};
/** Names that break code which does not quote. */
const [table, odd] = ['new `ta"ble\'; --', 'na`m"e\'); --'];

function cases(open: (world: ModelSyncs) => ModelTarget | Promise<ModelTarget>): void {
  let world: ModelSyncs;
  let target: ModelTarget;
  beforeAll(async () => {
    world = await startModelSyncs();
    target = await open(world);
    await world.source.query(`create type mood as enum ('fine');
      create table items (id bigint, name varchar(40), price numeric(20,4), paid timestamptz, more jsonb, mood mood);
      insert into items values (1, 'one', 1234567890123456.7891, '2024-02-29 12:34:56.789+00', '{"a": 1}', 'fine')`);
  });
  afterAll(async () => {
    await target[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  const settings = async () => ({
    model: await world.createModel({ table: 'public.items' }),
    ...{ connectionId: target.connectionId, identity: ['id', 'id'] as [string, string] },
  });
  const schema = () => target.object('').slice(0, -1);
  const fields: (string | [string, string])[] = [['name', odd], 'price', 'paid', 'more', 'mood'];

  test('a new table has the fields that are mapped, of types that hold their values, and takes the records', async () => {
    const create = { schema: schema(), name: table };
    const request = { ...(await settings()), fields, target: { object: '', create } };
    const sync = await world.createSync(request);
    expect(sync.target.object).toBe(target.object(table));
    const made = await describeTarget(
      world.deps,
      world.organizationId,
      target.connectionId,
      sync.target.object,
    );
    expect(made.fields.map(({ name, source_type: type }) => [name, type])).toEqual(
      ['id', odd, 'price', 'paid', 'more', 'mood'].map((name, index) => [name, types[target.kind][index]]),
    );
    const { counts } = await world.execute(sync);
    expect([counts.insert, counts.warnings]).toEqual([1, undefined]);
    // Sent again it changes nothing; what is there stays.
    const again = await world.createSync({
      ...request,
      target: { object: '', new_name: table, create: { schema: schema() } },
    });
    expect(again.target.object).toBe(sync.target.object);
    expect((await world.execute(again)).counts).toMatchObject({ update: 1 });
  });

  test('new fields are added to a table that is there, the identity as well', async () => {
    await target.query('create table there (kept int)');
    const object = target.object('there');
    const newFields = ['id', odd];
    for (const fieldsNow of [
      [['name', odd]],
      [
        ['name', odd],
        ['id', 'kept'],
      ],
    ] as [string, string][][]) {
      const sync = await world.createSync({ ...(await settings()), object, fields: fieldsNow, newFields });
      expect((await world.execute(sync)).outcome).toEqual({ status: 'completed' });
    }
    expect(await target.query('select kept from there')).toEqual([{ kept: 1 }]);
  });

  test('what cannot be made is refused, naming what is wrong', async () => {
    const wrong = async (more: object, object?: string) =>
      world.createSync({
        ...(await settings()),
        fields,
        ...(object === undefined ? {} : { object }),
        target: more,
      });
    await expect(wrong({ create: { name: 'x' } }, target.object('there'))).rejects.toThrow(
      'target.object: is there already',
    );
    await expect(wrong({ object: '', create: { schema: 'nowhere', name: 'x' } })).rejects.toThrow(
      'target.create.schema',
    );
    await expect(wrong({ object: '', create: { schema: schema() } })).rejects.toThrow(
      'target.create.name: is needed',
    );
    await expect(wrong({ object: '', create: { name: 'x', color: 'red' } })).rejects.toThrow(
      'target.create.color',
    );
    await expect(wrong({ object: '', new_name: 'there' })).rejects.toThrow(`"price" is not a field`);
    await expect(wrong({ object: '', new_name: '_tidemark_x' })).rejects.toThrow('Tidemark’s own');
  });

  test('nothing is made for a sync that is refused', async () => {
    await target.query('create table strict (needed int not null)');
    const object = target.object('strict');
    const columns = async () =>
      (await describeTarget(world.deps, world.organizationId, target.connectionId, object)).fields.map(
        ({ id }) => id,
      );
    const request = { ...(await settings()), object, newFields: ['id', odd] };
    const filters = [{ field_type: 'Target', field_id: 'none', function: 'IsNull' as const }];
    const filtered = {
      ...request,
      mode: 'update' as const,
      filters,
      fields: [['name', odd]] as [string, string][],
    };
    await expect(world.createSync(filtered)).rejects.toThrow('"none" is no field');
    expect(await columns()).toEqual(['needed']);
    const encrypted = { encrypted: ['id'], encryption_passphrase: 'secret' };
    const create = {
      ...(await settings()),
      fields: ['id', 'name'],
      target: { object: '', new_name: 'never' },
    };
    await expect(world.createSync({ ...create, ...encrypted })).rejects.toThrow('is the identity');
    const objects = await listTargetObjects(world.deps, world.organizationId, target.connectionId);
    expect(objects.map(({ id }) => id)).not.toContain(target.object('never'));
  });

  test('values whose type only the source has are text, and arrive', async () => {
    await world.source.query(`create type pair as (a int, b text);
      create table pairs as select 1::bigint as id, row(1, 'x, y')::pair as named`);
    const model = await world.createModel({ table: 'public.pairs' });
    const sync = await world.createSync({
      ...{ ...(await settings()), model, fields: ['named'], target: { object: '', new_name: 'pairs' } },
    });
    expect((await world.execute(sync)).counts).toMatchObject({ insert: 1 });
    const table = sync.target.object;
    expect(await target.query(`select named from ${table}`)).toEqual([{ named: '(1,"x, y")' }]);
  });

  test('a table of one column is a table like others', async () => {
    await target.query('create table one (name varchar(40))');
    const { model, connectionId } = await settings();
    const request = { model, connectionId, object: target.object('one') };
    const wrong = (fieldsNow: [string, string][]) =>
      world.createSync({ ...request, mode: 'append', fields: fieldsNow });
    await expect(
      wrong([
        ['name', 'name'],
        ['id', 'name'],
      ]),
    ).rejects.toThrow('name is mapped twice');
    const sync = await world.createSync({ ...request, identity: ['mood', 'name'], fields: [] });
    const { id, counts } = await world.execute(sync);
    expect(counts).toMatchObject({ total: 1, insert: 1 });
    expect(await world.log(id, 'inserts')).toEqual([{ name: 'fine' }]);
    expect((await world.execute(sync)).counts).toMatchObject({ total: 0 });
    expect(await target.query('select name from one')).toEqual([{ name: 'fine' }]);
  });

  test('the API says what a new table takes', async () => {
    const of = [world.deps, world.organizationId, target.connectionId] as const;
    expect(await presentCreator(...of, false)).toMatchObject({
      supported: true,
      properties: [{ id: 'schema' }, { id: 'name' }],
    });
    const { values } = await describeCreateProperty(...of, 'schema');
    expect(values[0]).toEqual({ label: schema(), value: schema() });
    await expect(describeCreateProperty(...of, 'color')).rejects.toMatchObject({ key: 'not_found' });
  });
}
