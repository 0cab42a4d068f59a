import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeMariadb } from '../../test/support/mariadb.ts';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import {
  duckdbTarget,
  type ModelTarget,
  mariadbTarget,
  postgresqlTarget,
} from '../../test/support/model-targets.ts';
import { openConnection } from '../connections/index.ts';
import { sampleModel } from './index.ts';

let world: ModelSyncs;
beforeAll(async () => {
  world = await startModelSyncs();
});
afterAll(() => world[Symbol.asyncDispose]());

describe('PostgreSQL', () => cases(async () => postgresqlTarget(world)));
describeMariadb('MariaDB', () => cases(() => mariadbTarget(world)));
describe('DuckDB', () => cases(() => duckdbTarget(world)));

const tooLarge = /the first records are larger than 16 MiB together/;

function cases(open: () => Promise<ModelTarget>): void {
  test('a sample has a limit, whatever a record holds', async () => {
    await using source = await open();
    await source.query('create table wide (id int, a text)');
    await source.query(`insert into wide values ${[1, 2, 3, 4].map((n) => `(${n}, 'x')`).join(', ')}`);
    const model = await world.createModel(
      { query: `select id, repeat(a, 5000000) as a from wide` },
      undefined,
      { connection_id: source.connectionId },
    );
    const patient = { lookTimeout: 240_000, signal: AbortSignal.timeout(240_000) };
    await expect(sampleModel(world.deps, world.organizationId, model.id, patient)).rejects.toThrow(tooLarge);
    const wrong = { query: '-- two lines\nselect id, from from wide; -- done' };
    const refused = world.createModel(wrong, undefined, { connection_id: source.connectionId });
    await expect(refused).rejects.toThrow(/line 2/i);
    await expect(refused).rejects.not.toThrow(/as model/);
    const { session } = await openConnection(world.deps, world.organizationId, source.connectionId);
    try {
      const records = () => session.catalogue?.records(source.object('wide'), 10);
      expect(await records()).toHaveLength(4);
      await source.query(`alter table wide add b ${source.kind === 'mysql' ? 'longtext' : 'text'}`);
      await source.query(`update wide set b = repeat('y', 4500000)`);
      await expect(records()).rejects.toThrow(tooLarge);
    } finally {
      await session.close();
    }
  });
}
