/** A constant or override that the target would refuse in every record is refused when the sync is saved. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeMariadb } from '../../test/support/mariadb.ts';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import {
  duckdbTarget,
  type ModelTarget,
  mariadbTarget,
  postgresqlTarget,
} from '../../test/support/model-targets.ts';

let world: ModelSyncs;
beforeAll(async () => {
  world = await startModelSyncs();
  await world.source.query(`create table people (id int primary key, name text, age int);
    insert into people values (1, 'Ann', 30), (2, null, null)`);
});
afterAll(() => world[Symbol.asyncDispose]());

/** Type of a column, a constant that it takes, and some that it does not with what is said of them. */
type Case = [type: string, taken: string, ...refused: [value: string, reason: RegExp][]];

async function check(target: ModelTarget, cases: readonly Case[], more: readonly string[] = []) {
  const columns = [
    ...cases.map(([type], index) => `c${index} ${type}`),
    'needed varchar(9) not null',
    ...more,
  ];
  await target.query(`create table people (id int primary key, n int, ${columns.join(', ')})`);
  const model = await world.createModel({ table: 'public.people' });
  const from = { model_id: model.id, field: 'name' };
  const save = (constants: object[], rest: object = {}) =>
    world.createSync({
      ...{
        model,
        identity: ['id', 'id'],
        connectionId: target.connectionId,
        object: target.object('people'),
      },
      ...{ fields: [['name', 'needed']], override_fields: constants as never, ...rest },
    });
  const constant = (column: string, value: string) => ({
    source: null,
    target: column,
    override_value: value,
  });

  for (const [index, [type, , ...refused]] of cases.entries()) {
    for (const [value, reason] of refused) {
      const saved = save([constant('n', '1'), constant(`c${index}`, value)]);
      await expect(saved, `${type} ${value}`).rejects.toThrow(reason);
      await expect(saved).rejects.toThrow(`override_fields.1.override_value: c${index} (`);
    }
  }
  const override = (value: unknown) => ({
    overrides: [{ field: from, function: 'IsNull', override: value }] as never,
  });
  await expect(save([], override(null))).rejects.toThrow(
    /overrides\.0\.override: needed .* does not take null: it cannot be NULL/,
  );
  const mapped = {
    fields: [
      ['name', 'n'],
      ['name', 'needed'],
    ] as [string, string][],
  };
  await expect(save([], { ...override('none'), ...mapped })).rejects.toThrow(/overrides\.0\.override: n \(/);
  // Mode remove writes none of them.
  await save([constant('n', 'five')], { mode: 'remove', fields: [] });

  const taken = cases.map(([, value], index) => constant(`c${index}`, value));
  const sync = await save(taken, override('none'));
  const { outcome, counts } = await world.execute(sync);
  expect(outcome).toEqual({ status: 'completed' });
  expect(counts).toMatchObject({ total: 2, insert: 2, error: 0 });
  expect(await target.query('select needed from people order by needed')).toEqual([
    { needed: 'Ann' },
    { needed: 'none' },
  ]);
}

test('PostgreSQL: types, domains, enums, checks', async () => {
  await world.target.query(`create domain percent as int check (value between 0 and 100);
    create type mood as enum ('good', 'bad'); create schema own; create domain own.word as varchar(4) not null`);
  await check(
    postgresqlTarget(world),
    [
      [
        'integer',
        '5',
        ['five', /invalid input syntax/],
        ['', /invalid input syntax/],
        ['3000000000', /out of range/],
      ],
      ['numeric(4,2)', '99.5', ['100', /before the point/]],
      ['varchar(3)', 'abc', ['abcd', /too long/]],
      ['date', '2024-02-29', ['2023-02-29', /out of range/]],
      ['timestamptz', '2024-02-29 10:00+01', ['soon', /invalid input syntax/]],
      ['boolean', 'true', ['perhaps', /invalid input syntax/]],
      ['uuid', '6f1c1c0e-7c53-4d4e-9a53-0d8b6c3e0c11', ['6f1c', /invalid input syntax/]],
      ['jsonb', '{"a": 1}', ['{a: 1}', /invalid input syntax/]],
      ['int[]', '{1,2}', ['1,2', /malformed array/]],
      ['mood', 'good', ['fine', /invalid input value for enum/]],
      ['percent', '100', ['101', /percent_check/]],
      ['own.word', 'abcd', ['abcde', /too long/]],
      ['int check (c12 > 0)', '1', ['0', /c12_check/]],
    ],
    ['check (c0 < c12 or c0 is not null)'],
  );
});

describeMariadb('MariaDB', () => {
  test('types, character sets, enums, checks', async () => {
    await using target = await mariadbTarget(world);
    await check(
      target,
      [
        [
          'int',
          '5',
          ['five', /Incorrect integer value/],
          ['5.5', /whole numbers/],
          ['3000000000', /Out of range/],
        ],
        ['varchar(3)', 'abc', ['abcd', /too long/]],
        ['varchar(9) character set latin1', 'é', ['🌊', /Incorrect string value/]],
        ['date', '2024-02-29', ['2023-02-29', /Incorrect date value/], ['soon', /dates alone/]],
        [`enum('good','bad')`, 'good', ['fine', /no member/]],
        ['json', '{"a": 1}', ['{a: 1}', /json_valid/]],
        ['int check (c6 > 0)', '1', ['0', /`c6` > 0/]],
        ['decimal(4,2)', '99.5', ['100', /Out of range/]],
      ],
      ['check (c0 < 1000 + c6)'],
    );
  });

  test('what a trigger makes right is taken', async () => {
    await using target = await mariadbTarget(world);
    await target.query(`create table rewritten (id int primary key,
      currency varchar(3) character set utf8mb4 collate utf8mb4_bin check (currency = upper(currency)))`);
    await target.query(
      'create trigger fill before insert on rewritten for each row set new.currency = upper(new.currency)',
    );
    await checkTriggers(target);
  });
});

/** Of what triggers make of a row: the value itself would be refused. */
async function checkTriggers(target: ModelTarget) {
  const model = await world.createModel({ table: 'public.people' });
  const to = { model, connectionId: target.connectionId, object: target.object('rewritten') };
  const save = (value: string) =>
    world.createSync({
      ...to,
      identity: ['id', 'id'],
      fields: [],
      override_fields: [{ source: null, target: 'currency', override_value: value }] as never,
    });
  await expect(save('euros')).rejects.toThrow(/too long/);
  const { outcome, counts } = await world.execute(await save('eur'));
  expect([outcome, counts.error]).toEqual([{ status: 'completed' }, 0]);
  expect(await target.query('select distinct currency from rewritten')).toEqual([{ currency: 'EUR' }]);
}

test('PostgreSQL: what a trigger makes right is taken', async () => {
  await world.target.query(`create function fill() returns trigger language plpgsql as
      $$ begin new.currency := upper(new.currency); new.note := coalesce(new.note, ''); return new; end $$;
    create table rewritten (id int primary key, currency varchar(3) check (currency = upper(currency)), note text not null);
    create trigger fill before insert on rewritten for each row execute function fill()`);
  const target = postgresqlTarget(world);
  await checkTriggers(target);
  await world.target.query('delete from rewritten');
  const model = await world.createModel({ table: 'public.people' });
  const sync = await world.createSync({
    model,
    ...{ connectionId: target.connectionId, object: target.object('rewritten'), identity: ['id', 'id'] },
    fields: [['name', 'note']],
    overrides: [
      { field: { model_id: model.id, field: 'name' }, function: 'IsNotNull', override: null },
    ] as never,
  });
  expect((await world.execute(sync)).counts).toMatchObject({ insert: 2, error: 0 });
});

test('DuckDB: types, enums, checks', async () => {
  const target = await duckdbTarget(world);
  await check(
    target,
    [
      ['integer', '5'],
      ['date', '2024-02-29', ['2023-02-29', /out of range/]],
      [`enum ('good', 'bad')`, 'good', ['fine', /no member/]],
      ['json', '{"a": 1}', ['{a: 1}', /Malformed JSON/]],
      ['integer check (c4 > 0)', '1', ['0', /CHECK constraint failed/]],
    ],
    ['check (c0 < 1000 + c4)', 'check (length(needed) < 9)'],
  );
});
