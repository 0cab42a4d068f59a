import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeMariadb } from '../../test/support/mariadb.ts';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import {
  duckdbTarget,
  type ModelTarget,
  mariadbTarget,
  postgresqlTarget,
} from '../../test/support/model-targets.ts';
import type { IdentityFunction } from '../connectors/index.ts';

describe('PostgreSQL', () => cases(postgresqlTarget));
describeMariadb('MariaDB', () => cases(mariadbTarget));
describe('DuckDB', () => cases(duckdbTarget));

function cases(open: (world: ModelSyncs) => ModelTarget | Promise<ModelTarget>): void {
  let world: ModelSyncs;
  let target: ModelTarget;
  beforeAll(async () => {
    world = await startModelSyncs();
    target = await open(world);
    await world.source.query(`create table items (id int, note text);
      insert into items select n, 'new' from generate_series(1, 7) n`);
  });
  afterAll(async () => {
    await target[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  // Columns with the names of those that batches have.
  const fill = () =>
    target.query(`drop table if exists rows_there;
      create table rows_there (id varchar(9) primary key, n int, k varchar(9), note varchar(9));
      insert into rows_there values ('1', 1, 'open', ''), ('2', 2, 'shut', ''), ('3', 3, null, ''), ('4', 9, 'it''s', ''), ('5', 9, 'open', '')`);

  const sync = async (mode: 'update' | 'updateOrCreate', logic: string, identityFunction: IdentityFunction) =>
    world.createSync({
      model: await world.createModel({ table: 'public.items' }),
      ...{ mode, connectionId: target.connectionId, object: target.object('rows_there') },
      ...{ identity: ['id', 'id'], identityFunction, fields: ['note'] },
      filters: [
        { field_id: 'k', field_type: 'Target', function: 'Equality', value: 'open' },
        { field_id: 'id', function: 'LessThan', value: 7 },
        { field_id: 'k', field_type: 'Target', function: 'Equality', value: "it's", label: 'Q' },
        { field_id: 'n', field_type: 'Target', function: 'GreaterThan', value: 8 },
      ],
      target: { filter_logic: logic },
    });

  test.each([
    ['(1 or Q) AND NOT 4', 'Equality', ['1']],
    ['(A or Q) and C', 'ISubstring', ['4', '5']],
  ] as const)('update: only rows that fit %s are changed', async (logic, name, changed) => {
    await fill();
    const stored = await sync('update', logic, name);
    const executed = await world.execute(stored);
    expect(executed.outcome).toEqual({ status: 'completed' });
    expect(executed.counts).toMatchObject({ total: 6, update: changed.length, error: 0 });
    const rows = await target.query(`select id from rows_there where note = 'new' order by id`);
    expect(rows.map(({ id }) => id)).toEqual(changed);
    // A row that fits later is changed then.
    await target.query(`update rows_there set k = 'open', n = ${name === 'Equality' ? 1 : 9} where id = '3'`);
    expect((await world.execute(stored)).counts).toMatchObject({ total: 6 - changed.length, update: 1 });
  });

  test('they are for mode update, and for fields that the target has', async () => {
    await fill();
    await expect(sync('updateOrCreate', 'A or Q or C', 'Equality')).rejects.toThrow(
      'filters.0.field_type: Target is for mode update',
    );
    await expect(sync('update', 'A or Q or B', 'Equality')).rejects.toThrow('target.filter_logic');
  });
}
