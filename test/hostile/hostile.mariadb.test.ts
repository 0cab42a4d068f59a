import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProcessPool } from '../../src/isolation/index.ts';
import { describeMariadb } from '../support/mariadb.ts';
import { type HostileSystems, hostileMysql, hostilePostgresql } from './database-systems.ts';
import { hostileHttp, hostileS3 } from './http-systems.ts';
import { Lane, type Played, visitors } from './play.ts';
import { type TargetName, targetNames } from './target-names.ts';

/** `npm run chaos:hostile` says these. */
const { TIDEMARK_HOSTILE_MUTATIONS, TIDEMARK_HOSTILE_SEED, TIDEMARK_HOSTILE_TARGET } = process.env;
const long = TIDEMARK_HOSTILE_MUTATIONS !== undefined;
const usual: Record<TargetName, number> = { postgresql: 800, mysql: 800, s3: 200, http: 200 };
/** Lanes of a target, each with a process and a hostile server of its own. */
const lanes = 2;

/** Mutations that have found faults. */
const found: Record<TargetName, number[]> = { postgresql: [], mysql: [42, 43, 44], s3: [], http: [] };

const open: Record<TargetName, () => Promise<HostileSystems>> = {
  postgresql: hostilePostgresql,
  mysql: hostileMysql,
  s3: hostileS3,
  http: hostileHttp,
};

let pool: ProcessPool;
beforeAll(() => {
  pool = visitors(lanes);
});
afterAll(() => pool.stop());

for (const name of targetNames) {
  if (TIDEMARK_HOSTILE_TARGET && TIDEMARK_HOSTILE_TARGET !== name) continue;
  const describeTarget = name === 'mysql' ? describeMariadb : describe;
  describeTarget(`a hostile ${name}`, () => {
    const first = Number(TIDEMARK_HOSTILE_SEED ?? 1);
    const count = Number(TIDEMARK_HOSTILE_MUTATIONS ?? usual[name]);
    const seeds = [
      ...(long ? [] : found[name]),
      ...Array.from({ length: count }, (_, index) => first + index),
    ];

    test(`${count} mutations from seed ${first} harm nobody`, { timeout: long ? 0 : 3_600_000 }, async () => {
      const left = [...seeds];
      const played: Played[] = [];
      const broken: string[] = [];
      const drive = async (lane: number) => {
        await using target = await open[name]();
        const player = new Lane(pool, `${name} ${lane}`, target.systems);
        for (let seed = left.shift(); seed !== undefined; seed = left.shift()) {
          const one = await player.play(seed);
          played.push(one);
          if (one.outcome === 'broken') {
            broken.push(`${seed}`);
            console.error(`seed ${seed}, ${one.story}: ${one.reason}
replay: npm run chaos:hostile -- --target ${name} --seed ${seed} --mutations 1`);
          }
          if (long) console.log(JSON.stringify(one));
        }
      };
      await Promise.all(Array.from({ length: lanes }, (_, lane) => drive(lane)));
      const counts = Map.groupBy(played, ({ outcome }) => outcome);
      console.log(`${name}: ${[...counts].map(([outcome, list]) => `${list.length} ${outcome}`).join(', ')}`);
      expect(broken, 'seeds of mutations that a process did not outlive, or not heed its cancel').toEqual([]);
      // Otherwise they would not have come where they were to be.
      if (!long) expect(counts.get('failed')?.length).toBeGreaterThan(count / 8);
    });
  });
}
