import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeMariadb } from '../../test/support/mariadb.ts';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import {
  duckdbTarget,
  type ModelTarget,
  mariadbTarget,
  postgresqlTarget,
} from '../../test/support/model-targets.ts';

/** Type of the target's column → two identities that are one to it, and one that is its own. */
type Cases = [type: string, one: string, same: string, other: string][];

const postgresql: Cases = [
  ['citext', 'Ann', 'ann', 'bob'],
  ['int', '7', '07', '8'],
  ['numeric(10,2)', '7', '7.00', '7.5'],
  ['char(5)', 'ann', 'ann  ', ' ann'],
  [
    'uuid',
    'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
    'a0eebc999c0b4ef8bb6d6bb9bd380a11',
    'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
  ],
  ['timestamptz', '2024-01-01 00:00:00+00', '2024-01-01 01:00:00+01', '2024-01-01 01:00:00+00'],
  ['boolean', 'yes', 't', 'f'],
  ['jsonb', '{"a": 1}', '{"a":1}', '{"a":2}'],
  ['text collate anycase', 'Ann', 'aNN', 'bob'],
  ['double precision', '1e1', '10', '11'],
];

const mysql: Cases = [
  ['varchar(50)', 'Ann', 'ann', 'bob'],
  ['varchar(50) collate utf8mb4_general_ci', 'Ann', 'Ann ', 'Bob'],
  ['varchar(50) character set latin1', 'é', 'É', 'è!'],
  ['varchar(20) collate utf8mb4_bin', 'ann', 'ann ', 'Ann'],
  ['int', '7', '07', '8'],
  ['decimal(10,2)', '7', '7.00', '7.5'],
  ['double', '1e1', '10', '11'],
  ['datetime', '2024-01-01 00:00:00', '2024-01-01T00:00:00', '2024-01-02 00:00:00'],
  ['date', '2024-01-01', '2024-01-01 00:00:00', '2024-01-02'],
];

const duckdb: Cases = [
  ['varchar collate nocase', 'Ann', 'ann', 'bob'],
  ['decimal(10,2)', '7', '7.00', '7.5'],
  [
    'uuid',
    'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
  ],
  ['timestamptz', '2024-01-01 00:00:00+00', '2024-01-01 01:00:00+01', '2024-01-01 01:00:00+00'],
  ['boolean', 'true', 't', 'f'],
];

function alikeCases(cases: Cases, open: (world: ModelSyncs) => ModelTarget | Promise<ModelTarget>): void {
  let world: ModelSyncs;
  let target: ModelTarget;
  beforeAll(async () => {
    world = await startModelSyncs();
    target = await open(world);
    if (target.kind !== 'postgresql') return;
    await target.query(`create extension citext;
      create collation anycase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`);
  });
  afterAll(async () => {
    await target?.[Symbol.asyncDispose]();
    await world?.[Symbol.asyncDispose]();
  });

  test.each(cases)('%s: %s and %s', async (type, one, same, other) => {
    await world.source.query('drop table if exists seekers; create table seekers (key text, note text)');
    await world.source.query(`insert into seekers values ($1, 'one'), ($2, 'other')`, [one, other]);
    await target.query(`drop table if exists found; create table found (name ${type}, note varchar(99))`);
    const sync = await world.createSync({
      model: await world.createModel({ table: 'public.seekers' }),
      connectionId: target.connectionId,
      object: target.object('found'),
      identity: ['key', 'name'],
      fields: ['note'],
    });
    expect((await world.execute(sync)).counts).toMatchObject({ insert: 2, error: 0 });
    // Not in one batch, nor in one execution.
    await world.source.query(`insert into seekers values ($1, 'same'); `, [same]);
    for (const note of ['one', 'changed']) {
      await world.source.query(`update seekers set note = $1 || key where key <> $2`, [note, other]);
      const executed = await world.execute(sync);
      expect(executed.counts).toMatchObject({ total: 2, error: 2 });
      const errors = (await world.log(executed.id, 'errors')) as { reason: string }[];
      expect(errors[0]?.reason).toContain(`takes 2 identities of the model for one`);
      expect(await target.query('select note from found order by note')).toEqual([
        { note: 'one' },
        { note: 'other' },
      ]);
    }
    await world.source.query(`delete from seekers where key = $1`, [one]);
    expect((await world.execute(sync)).counts).toMatchObject({ total: 1, update: 1 });
    expect(await target.query('select note from found')).toHaveLength(2);
  });
}

describe('PostgreSQL', () => alikeCases(postgresql, postgresqlTarget));
describeMariadb('MariaDB', () => alikeCases(mysql, mariadbTarget));
describe('DuckDB', () => alikeCases(duckdb, duckdbTarget));
