import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMetadataDatabase, type MetadataDatabase } from '../../test/support/database.ts';
import { until } from '../../test/support/until.ts';
import { startClock } from './clock.ts';

let metadata: MetadataDatabase;
beforeAll(async () => {
  metadata = await createMetadataDatabase();
});
afterAll(() => metadata[Symbol.asyncDispose]());

/** The seconds that were warned of; `right` when it was said that it is right again. */
function heard() {
  const said: unknown[] = [];
  const log = {
    warn: (line: { off_seconds: number }) => void said.push(line.off_seconds),
    info: () => void said.push('right'),
    debug: () => {},
  };
  return { said, log: log as unknown as Parameters<typeof startClock>[1] };
}

test.each([
  ['72 hours ahead', 72 * 3600, [72 * 3600]],
  ['ten days behind', -10 * 86_400, [-10 * 86_400]],
  ['a little off', 4, []],
])('a machine whose clock is %s goes by the database’s, and is told', async (_, seconds, warned) => {
  const { said, log } = heard();
  const clock = await startClock(metadata.db, log, { now: () => Date.now() + seconds * 1000 });
  await clock.stop();
  expect(said).toEqual(warned);
  const { rows } = await sql<{ now: number }>`
    select (extract(epoch from clock_timestamp()) * 1000)::float8 as now`.execute(metadata.db);
  expect(Math.abs(clock.now() - (rows[0]?.now ?? 0))).toBeLessThan(5000);
});

test('a clock that is set right is said to be', async () => {
  const { said, log } = heard();
  let off = 60_000;
  const clock = await startClock(metadata.db, log, { now: () => Date.now() + off }, 10);
  off = 0;
  await until(() => said.includes('right'));
  await clock.stop();
  expect(said.slice(0, said.indexOf('right')).every((line) => line === 60)).toBe(true);
});
