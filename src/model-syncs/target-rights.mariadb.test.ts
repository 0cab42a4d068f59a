/** What a target offers follows what the connection's user may do there: a mode that is offered works, another says why not. */
import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeMariadb } from '../../test/support/mariadb.ts';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import { duckdbTarget, mariadbTarget } from '../../test/support/model-targets.ts';
import type { ModelSyncMode } from '../connectors/index.ts';
import { describeTarget, listTargetObjects } from './index.ts';

let world: ModelSyncs;
beforeAll(async () => {
  world = await startModelSyncs();
  await world.source.query(
    `create table people as select n as id, 'p' || n as a from generate_series(1, 5) n`,
  );
});
afterAll(() => world[Symbol.asyncDispose]());

const modes: ModelSyncMode[] = ['create', 'update', 'updateOrCreate', 'append', 'replace', 'remove'];
const writing = modes.slice(0, 4);

/** What was granted on a table, the modes that follow, and why it has no others. */
type Case = [object: string, offered: ModelSyncMode[], reason: RegExp];

/** Of tables with all rights no mode is executed: other tests do that. */
async function check(connectionId: string, cases: readonly Case[]) {
  const listed = await listTargetObjects(world.deps, world.organizationId, connectionId);
  const offered = listed.map(({ id, modes: all }) => [id, all.map((one) => one.id)]);
  expect(offered).toEqual(
    cases
      .filter(([, names]) => names.length > 0)
      .map(([id, names]) => [
        id,
        names.flatMap((name) => (name === 'replace' ? [name, 'snapshot'] : [name])),
      ]),
  );
  const model = await world.createModel({ table: 'public.people' });
  for (const [object, names, reason] of cases) {
    for (const mode of modes) {
      const fields = mode === 'remove' ? [] : ['a'];
      // What cannot be selected cannot be compared.
      const identity = mode === 'append' ? undefined : (['id', 'id'] as [string, string]);
      const settings = { model, connectionId, object, mode, fields, ...(identity && { identity }) };
      if (!names.includes(mode)) {
        await expect(world.createSync(settings), `${mode} of ${object}`).rejects.toThrow(reason);
        continue;
      }
      if (/\.(whole|parted)$/.test(object)) continue;
      const { outcome, counts } = await world.execute(await world.createSync(settings));
      expect([outcome, counts.error], `${mode} of ${object}`).toEqual([{ status: 'completed' }, 0]);
    }
  }
}

/** [createable, updateable, an identity] of each field. */
async function rightsOf(connectionId: string, object: string) {
  const { fields } = await describeTarget(world.deps, world.organizationId, connectionId, object);
  return fields.map((one) => [one.createable, one.updateable, one.supports_identity]);
}

test('PostgreSQL: grants on tables and columns, views, and what no batch can be written to', async () => {
  const role = `granted_${crypto.randomUUID().slice(0, 8)}`;
  await world.target.query(`create role ${role} login password 'plain';
    create table appended (a text); create table closed (id int, a text);
    create table gone (id int, a text); create table partly (id int, a text, b text);
    create table mostly (id int, a text, b text); create table narrowly (id int, a text, b text); create table whole (id int, a text, b text);
    create table parted (id int, a text) partition by hash (id);
    create table part partition of parted for values with (modulus 1, remainder 0);
    create view counted as select count(*) as a from whole; create view seen as select id, a from partly;
    create materialized view stored as select id, a from whole;
    grant all on whole, seen, counted, stored, parted, part to ${role}; grant insert on appended to ${role};
    grant select, delete on gone to ${role}; grant select on closed to ${role};
    grant select, insert (id, a), update (a) on partly to ${role};
    grant select, insert (id, a), update (a), delete on mostly to ${role};
    grant select (id, a), insert (id, a), update (a), delete on narrowly to ${role}`);
  const connectionId = await world.connectAs(role, 'plain');
  await check(connectionId, [
    ['public.appended', ['append'], /takes append: the connection's user has no .*(SELECT|UPDATE|DELETE)/],
    ['public.closed', [], /public\.closed takes no records: the connection's user has no INSERT on it/],
    ['public.counted', [], /takes no records: it is a view that cannot be written through/],
    ['public.gone', ['remove'], /takes remove: the connection's user has no .*(INSERT|UPDATE)/],
    ['public.mostly', modes, /never/],
    ['public.narrowly', [...writing, 'remove'], /SELECT on some of its columns only/],
    ['public.part', [], /it is a partition/],
    ['public.parted', modes, /never/],
    ['public.partly', writing, /has no DELETE on it/],
    ['public.seen', [...writing, 'remove'], /it is a view, and mode replace/],
    ['public.stored', [], /materialized view/],
    ['public.whole', modes, /never/],
  ]);
  const rights = [
    [true, false, true],
    [true, true, true],
    [false, false, true],
  ];
  expect(await rightsOf(connectionId, 'public.partly')).toEqual(rights);
  expect(await rightsOf(connectionId, 'public.narrowly')).toEqual([
    ...rights.slice(0, 2),
    [false, false, false],
  ]);

  await world.target.query(
    `do $$ begin execute format('revoke temporary on database %I from public', current_database()); end $$`,
  );
  await check(connectionId, [['public.whole', [], /has no TEMPORARY on the database/]]);
});

describeMariadb('MariaDB', () => {
  test('grants on tables, columns and by roles, views, other engines', async () => {
    await using target = await mariadbTarget(world);
    const [database = ''] = target.object('').split('.');
    const user = `granted_${crypto.randomUUID().slice(0, 8)}`;
    const batches = `${database}._tidemark_batches`;
    for (const statement of [
      'create table appended (id int, a varchar(9)); create table closed like appended',
      'create table gone like appended; create table partly (id int, a varchar(9), b varchar(9))',
      'create table viarole like appended; create table whole like appended; create table blind like appended',
      'create table isam (id int, a varchar(9)) engine = MyISAM',
      'create table parted (id int, a varchar(9)) partition by hash (id)',
      'create view seen as select id, a from whole; create view counted as select count(*) as a from whole',
      `create user ${user} identified by 'plain'; create role role_of_${user}`,
      `grant select, insert, delete on viarole to role_of_${user}; grant role_of_${user} to ${user}`,
      `set default role role_of_${user} for ${user}`,
      `grant create, select, insert, delete on ${batches} to ${user}`,
      ...['whole', 'isam', 'parted', 'seen', 'counted'].map((table) => `grant all on ${table} to ${user}`),
      `grant select, insert on appended to ${user}; grant insert on blind to ${user}`,
      `grant select on closed to ${user}; grant select, delete on gone to ${user}`,
      `grant select (id, a), insert (id, a), update (a) on partly to ${user}`,
    ]) {
      await target.query(statement);
    }
    const account = { ...target.configuration, account: user, passwd: 'plain' };
    const connectionId = await world.connect('mysql', account);
    const of = (table: string, offered: ModelSyncMode[], reason: RegExp): Case => [
      target.object(table),
      offered,
      reason,
    ];
    await check(connectionId, [of('whole', [], /has no CREATE TEMPORARY TABLES on database test_/)]);
    await target.query(`grant create temporary tables on ${database}.* to ${user}`);
    await check(connectionId, [
      of('appended', ['create', 'append'], /has no .*(UPDATE|DELETE)/),
      of('blind', [], /has no SELECT on it/),
      of('closed', [], /has no INSERT on it/),
      of('counted', [], /takes no records: it is a view/),
      of('gone', ['remove'], /has no .*(INSERT|UPDATE)/),
      of('isam', [], /its engine is MyISAM/),
      of(
        'parted',
        modes.filter((mode) => mode !== 'replace'),
        /it has partitions/,
      ),
      of('partly', writing, /has no DELETE on it/),
      of('seen', [], /takes no records: it is a view/),
      of('viarole', ['create', 'append', 'remove'], /has no UPDATE on it/),
      of('whole', modes, /never/),
    ]);
    expect(await rightsOf(connectionId, target.object('partly'))).toEqual([
      [true, false, true],
      [true, true, true],
    ]);
    await target.query(`drop user ${user}; drop role role_of_${user}`);
  });

  test('a table that is locked keeps no list waiting; what is no plain table takes no records', async () => {
    await using target = await mariadbTarget(world);
    await target.query('create table locked (id int, a varchar(9)); create sequence counter');
    await target.query('create table versioned (id int, a varchar(9)) with system versioning');
    const { hostname: host, port, account: user, passwd: password, dbname } = target.configuration;
    const other = await createConnection({ host, port, user, password, database: dbname });
    // Before the database is dropped, which would wait for it.
    await using _ = { [Symbol.asyncDispose]: () => other.end() };
    await other.query('lock tables locked write');
    const connectionId = await world.connect('mysql', target.configuration);
    const listed = await listTargetObjects(world.deps, world.organizationId, connectionId);
    expect(listed.map((one) => one.id)).toEqual([target.object('locked')]);
    expect(listed[0]?.modes.map((one) => one.id)).toEqual(expect.arrayContaining(modes));
    const model = await world.createModel({ table: 'public.people' });
    for (const [table, reason] of [
      ['counter', /takes no records: it is a sequence/],
      ['versioned', /takes no records: it is a system versioned/],
    ] as const) {
      const to = { connectionId, object: target.object(table) };
      await expect(world.createSync({ model, ...to, mode: 'append', fields: ['a'] })).rejects.toThrow(reason);
    }
  });
});

test('DuckDB: a view takes no records', async () => {
  const target = await duckdbTarget(world);
  await target.query('create table whole (id int, a text); create view seen as from whole');
  const { connectionId } = target;
  const listed = await listTargetObjects(world.deps, world.organizationId, connectionId);
  expect(listed.map(({ id }) => id)).toEqual(['main.whole']);
  const model = await world.createModel({ table: 'public.people' });
  const sync = world.createSync({ model, connectionId, object: 'main.seen', mode: 'append', fields: ['a'] });
  await expect(sync).rejects.toThrow(/target\.object: main\.seen takes no records: it is a view/);
});
