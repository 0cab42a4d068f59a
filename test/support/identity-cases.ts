import { afterAll, beforeAll, expect, test } from 'vitest';
import type { IdentityFunction } from '../../src/connectors/index.ts';
import { type ModelSyncs, startModelSyncs } from './model-syncs.ts';
import type { ModelTarget } from './model-targets.ts';

/** Identity → what becomes of it: the row it is found in, `new`, or why it is refused. */
type Cases = [key: string, outcome: number | 'new' | RegExp][];

const functions: Record<Exclude<IdentityFunction, 'Equality'>, { rows: string[]; cases: Cases }> = {
  ISubstring: {
    rows: ['ACME Inc.', '100% Ünits', 'twin one', 'twin two', 'C:\\temp_1'],
    cases: [
      ['acme', 0],
      ['100%', 1],
      ['twin', /2 rows of the target match/],
      [`o' or 1=1 --`, 'new'],
      ['p_1', 4],
      ['e%e', 'new'],
      ['', /empty identity/],
    ],
  },
  OneOf: {
    rows: ['a@x.org, b@x.org;c@x.org', ' Both', 'Both', 'single', 'd;e'],
    cases: [
      ['b@x.org', 0],
      ['d', /2 records of the model match/],
      ['e', /2 records of the model match/],
      ['Both', /2 rows of the target match/],
      ['single', 3],
      ['sing', 'new'],
      ['x,y', /comma or semicolon/],
    ],
  },
  DomainMatch: {
    rows: ['https://www.Acme.com/about?x=a@b', 'ann@example.org', 'sub.acme.com'],
    cases: [
      ['joe@ACME.com', 0],
      ['http://user:secret@example.org:8080/path', 1],
      ['mailto:ann@nowhere.org', 'new'],
      ['acme.co', 'new'],
      ['bob@two.org', /2 records of the model match/],
      ['two.org', /2 records of the model match/],
      ['/', /no domain/],
    ],
  },
  HostnameMatch: {
    rows: ['https://www.acme.com/about', 'acme.com:443'],
    cases: [
      ['HTTP://WWW.ACME.COM', 0],
      ['acme.com', 1],
      ['//shop.acme.com/?q=//acme.com', 'new'],
    ],
  },
};

const ids = {
  postgresql: { type: 'serial', after: '' },
  mysql: { type: 'int auto_increment', after: '' },
  duckdb: {
    type: `int default nextval('ids')`,
    after: 'drop sequence if exists ids; create sequence ids;',
  },
};

export function identityCases(open: (world: ModelSyncs) => ModelTarget | Promise<ModelTarget>): void {
  let world: ModelSyncs;
  let target: ModelTarget;

  beforeAll(async () => {
    world = await startModelSyncs();
    target = await open(world);
  });
  afterAll(async () => {
    await target[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  const literal = (text: string) =>
    target.kind === 'mysql' ? `'${text.replaceAll(/['\\]/g, '\\$&')}'` : `'${text.replaceAll("'", "''")}'`;

  const sync = async (name: IdentityFunction, mode: 'update' | 'updateOrCreate' | 'create' | 'remove') =>
    world.createSync({
      ...{
        model: await world.createModel({ table: 'public.seekers' }),
        mode,
        connectionId: target.connectionId,
      },
      ...{
        object: target.object('found'),
        identity: ['key', 'name'],
        fields: mode === 'remove' ? [] : ['note'],
      },
      identityFunction: name,
    });

  test.each(Object.entries(functions))('%s', async (name, { rows, cases }) => {
    await world.source.query('drop table if exists seekers; create table seekers (key text, note text)');
    for (const [key] of cases)
      await world.source.query('insert into seekers values ($1, $2)', [key, `by ${key}`]);
    const fill = () =>
      target.query(`drop table if exists found; ${ids[target.kind].after}
        create table found (id ${ids[target.kind].type} primary key, name varchar(99), note varchar(99));
        insert into found (name) values ${rows.map((row) => `(${literal(row)})`).join(', ')}`);
    await fill();
    const executed = await world.execute(await sync(name as IdentityFunction, 'updateOrCreate'));
    const reasons = new Map(
      ((await world.log(executed.id, 'errors')) as { identity: { name: string }; reason: string }[]).map(
        ({ identity, reason }) => [identity.name, reason],
      ),
    );
    const stored = await target.query('select id, name, note from found order by id');
    const outcomes = cases.map(([key, expected]) => {
      const reason = reasons.get(key);
      if (reason !== undefined)
        return [key, expected instanceof RegExp && expected.test(reason) ? expected : reason];
      const row = stored.find(({ note }) => note === `by ${key}`);
      return [key, rows[Number(row?.id) - 1] === row?.name ? Number(row?.id) - 1 : 'new'];
    });
    expect(outcomes).toEqual(cases);

    await fill();
    const count = (wanted: (outcome: Cases[number][1]) => boolean) =>
      cases.filter(([, one]) => wanted(one)).length;
    const found = count((one) => typeof one === 'number');
    const removed = await world.execute(await sync(name as IdentityFunction, 'remove'));
    expect(removed.counts).toMatchObject({ delete: found });
    expect(await target.query('select id from found')).toHaveLength(rows.length - found);
  });

  test('OneOf: a member of a list that is no text; a record that is added is a list of its own', async () => {
    const [type, list] = {
      postgresql: ['text[]', "'{a,b}'"],
      mysql: ["set('a','b','c')", "'a,b'"],
      duckdb: ['varchar[]', "['a', 'b']"],
    }[target.kind] as [string, string];
    await world.source.query(`drop table if exists seekers; create table seekers (key text, note text);
      insert into seekers values ('b', 'by b'), ('c', 'by c')`);
    await target.query(`drop table if exists found; ${ids[target.kind].after}
      create table found (id ${ids[target.kind].type} primary key, name ${type}, note varchar(99));
      insert into found (name) values (${list})`);
    const executed = await world.execute(await sync('OneOf', 'updateOrCreate'));
    expect(executed.counts).toMatchObject({ update: 1, insert: 1, error: 0 });
    const rows = await target.query('select name, note from found order by id');
    const names = target.kind === 'mysql' ? ['a,b', 'c'] : [['a', 'b'], ['c']];
    expect(rows).toEqual(names.map((name, place) => ({ name, note: place === 0 ? 'by b' : 'by c' })));
  });
}
