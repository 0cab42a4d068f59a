import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BulkHarness, bulkHarness } from '../support/bulk-syncs.ts';
import { describeMariadb } from '../support/mariadb.ts';
import { closeDestinations, type Kind, kinds } from './destinations.ts';
import { playWorld, type Report } from './world.ts';

/** `npm run chaos:bulk -- --runs 2000 --seed 1` sets them. */
const runs = Number(process.env.TIDEMARK_CHAOS_RUNS ?? 12);
const firstSeed = Number(process.env.TIDEMARK_CHAOS_SEED ?? 1);
const only = process.env.TIDEMARK_CHAOS_KIND;

/** Worlds that found a fault once. */
const found: [seed: number, kind: Kind][] = [];

/** Most go where a run costs least: what is random is the source. */
function kindOf(seed: number): Kind {
  if (only !== undefined) return only as Kind;
  return seed % 5 === 4 ? (kinds[1 + (Math.floor(seed / 5) % 3)] ?? 'postgresql') : 'postgresql';
}

let harness: BulkHarness;
beforeAll(async () => {
  harness = await bulkHarness(20);
});
afterAll(async () => {
  await closeDestinations();
  await harness[Symbol.asyncDispose]();
});

describeMariadb('bulk syncs through random changes, settings, resyncs and lost connections', () => {
  test('source and destination are equal after each run, or it failed with a reason and changed nothing', async () => {
    const report: Report = { runs: 0, completed: 0, failed: 0, broken: [] };
    for (const [seed, kind] of found) await playWorld(harness, seed, kind, report);
    for (let seed = firstSeed; report.runs < runs; seed++) {
      const broken = report.broken.length;
      await playWorld(harness, seed, kindOf(seed), report);
      if (process.env.TIDEMARK_CHAOS_RUNS !== undefined) {
        for (const text of report.broken.slice(broken)) console.log(`BROKEN ${text}`);
        console.log(
          `seed ${seed} ${kindOf(seed)}: ${JSON.stringify({ ...report, broken: report.broken.length })}`,
        );
      }
    }
    expect(report.broken).toEqual([]);
    expect(report.completed).toBeGreaterThan(report.runs * 0.7);
  }, 86_400_000);
});
