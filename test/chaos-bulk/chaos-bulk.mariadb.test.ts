import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BulkHarness, bulkHarness } from '../support/bulk-syncs.ts';
import { describeMariadb } from '../support/mariadb.ts';
import { endWorkers } from './faults.ts';
import { kindOfSeed } from './kinds.ts';
import { closeEngine } from './read-files.ts';
import { Servers } from './servers.ts';
import { playWorld } from './world.ts';

/** `npm run chaos:bulk -- --runs 2000 --seed 1 --lanes 2` sets them. */
const { TIDEMARK_CHAOS_RUNS: long, TIDEMARK_CHAOS_SEED: seed, TIDEMARK_CHAOS_KIND: only } = process.env;
const runs = Number(long ?? 0);
/** Worlds at a time, each with servers of its own. */
const lanes = Number(process.env.TIDEMARK_CHAOS_LANES ?? 1);

/** Worlds of every run: of systems that cost little. What a longer run found has a test of its own beside the code. */
const always: [seed: number, kind: string][] = [
  [20149, 'transaction>mysql'],
  [20127, 'mysql>mysql'],
  [20153, 'mysql>postgresql'],
  [20161, 'transaction>postgresql'],
];

let harness: BulkHarness;
const servers = Array.from({ length: lanes }, () => new Servers());
beforeAll(async () => {
  harness = await bulkHarness(20);
});
afterAll(async () => {
  await endWorkers();
  await closeEngine();
  for (const one of servers) await one[Symbol.asyncDispose]();
  await harness[Symbol.asyncDispose]();
});

describeMariadb('bulk syncs through random changes, settings, resyncs and lost connections', () => {
  test('source and destination are equal after each run, or it failed with a reason and changed nothing', async () => {
    // A kind that there is not is refused before the first world.
    kindOfSeed(0, only);
    const total = { runs: 0, completed: 0 };
    const broken: string[] = [];
    const play = async (lane: Servers, one: number, ends: string | undefined) => {
      const start = performance.now();
      const kind = kindOfSeed(one, ends);
      const report = await playWorld(harness, lane, one, kind);
      total.runs += report.runs;
      total.completed += report.completed;
      if (report.broken !== undefined) broken.push(`${report.story.join('; ')}: ${report.broken}`);
      if (long === undefined) return;
      const took = Math.round(performance.now() - start);
      console.log(
        JSON.stringify({
          seed: one,
          kind: kind.name,
          ...report,
          took,
          total: total.runs,
          differ: broken.length,
        }),
      );
      if (report.broken !== undefined) console.log(`BROKEN ${broken.at(-1)}`);
    };
    const [first] = servers;
    if (first !== undefined) for (const [one, ends] of always) await play(first, one, ends);
    let next = Number(seed ?? 1);
    const drive = async (lane: Servers) => {
      while (total.runs < runs) await play(lane, next++, only);
    };
    await Promise.all(servers.map(drive));
    expect(broken).toEqual([]);
    expect(total.completed).toBeGreaterThan(total.runs * 0.7);
  }, 86_400_000);
});
