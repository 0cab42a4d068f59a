/** What a target says of a value is told with the name of its field, and of nothing that is Tidemark's own. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeMariadb } from '../../test/support/mariadb.ts';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import {
  duckdbTarget,
  type ModelTarget,
  mariadbTarget,
  postgresqlTarget,
} from '../../test/support/model-targets.ts';

describe('PostgreSQL', () => cases(postgresqlTarget, true));
describeMariadb('MariaDB', () => cases(mariadbTarget));
describe('DuckDB', () => cases(duckdbTarget));

const reasons = {
  postgresql: 'when, where: invalid input syntax for type date: "no day"',
  mysql: `when, where: Incorrect uuid value: 'no day'`,
  duckdb: 'Conversion Error: invalid date field format: "no day", expected format is (YYYY-MM-DD)',
};

/** @param collects its mode replace has a table of its own with the target's constraints, which PostgreSQL names. */
function cases(open: (world: ModelSyncs) => ModelTarget | Promise<ModelTarget>, collects = false): void {
  let world: ModelSyncs;
  let target: ModelTarget;
  beforeAll(async () => {
    world = await startModelSyncs();
    target = await open(world);
    await world.source.query(`create table days (id int, day text, good boolean);
      insert into days values (1, '2024-02-29', true), (2, 'no day', false)`);
  });
  afterAll(async () => {
    await target[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  test('the reason of a refused record', async () => {
    // Of a type that the target alone knows how to read.
    const column = target.kind === 'mysql' ? '`when, where` uuid' : '"when, where" date';
    await target.query(`create table days (v0 int primary key, ${column})`);
    const request = {
      model: await world.createModel({ table: 'public.days' }),
      connectionId: target.connectionId,
      object: target.object('days'),
      fields: [['day', 'when, where']] as [string, string][],
    };
    for (const mode of ['updateOrCreate', 'append', 'replace'] as const) {
      const settings = { ...request, mode, identity: ['id', 'v0'] as [string, string] };
      const { id } = await world.execute(await world.createSync(settings));
      const errors = (await world.log(id, 'errors')) as { identity: object; reason: string }[];
      const ofTwo = errors.find(({ identity }) => JSON.stringify(identity) === '{"v0":"2"}');
      expect(ofTwo?.reason, mode).toBe(reasons[target.kind]);
    }
  });

  if (collects)
    test('what a constraint says is said of the target', async () => {
      await target.query(`create table few (id int, v0 int check (v0 < 3), "a""b" text unique)`);
      await world.source.query(
        `create table many as select n as id, n as v, 'same' as word from generate_series(1, 3) n`,
      );
      const sync = await world.createSync({
        model: await world.createModel({ table: 'public.many' }),
        connectionId: target.connectionId,
        object: target.object('few'),
        mode: 'replace',
        identity: ['id', 'id'],
        fields: [
          ['v', 'v0'],
          ['word', 'a"b'],
        ],
      });
      const { id } = await world.execute(sync);
      const told = (await world.log(id, 'errors')).map((entry) => (entry as { reason: string }).reason);
      expect(told.sort()).toEqual([
        'duplicate key value violates unique constraint "few_a"b_key": Key ("a""b")=(same) already exists.',
        'new row for relation "few" violates check constraint "few_v0_check"',
      ]);
    });

  test('a boolean identifies, whatever the target has for one', async () => {
    await target.query('create table truths (is_good boolean primary key, id int)');
    const request = {
      model: await world.createModel({ table: 'public.days' }),
      connectionId: target.connectionId,
      object: target.object('truths'),
      identity: ['good', 'is_good'] as [string, string],
      fields: ['id'],
    };
    const sync = await world.createSync(request);
    expect((await world.execute(sync)).counts).toMatchObject({ insert: 2 });
    expect((await world.execute(sync, { resync: true })).counts).toMatchObject({ update: 2 });
    const replaced = await world.execute(await world.createSync({ ...request, mode: 'replace' }));
    expect(replaced.counts).toEqual({ total: 2, error: 0 });
    expect(await target.query('select id from truths where is_good')).toEqual([{ id: 1 }]);
  });
}
