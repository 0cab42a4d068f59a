import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeMariadb } from '../support/mariadb.ts';
import { type ModelSyncs, startModelSyncs } from '../support/model-syncs.ts';
import { play } from './play.ts';
import { type TargetName, targetNames } from './target-names.ts';
import { openTarget, type PlayedTarget } from './targets.ts';

/** `npm run chaos:model` says these. */
const {
  TIDEMARK_MODEL_SEQUENCES,
  TIDEMARK_MODEL_SEED,
  TIDEMARK_MODEL_TARGET,
  TIDEMARK_MODEL_REPEAT = '1',
} = process.env;
const long = TIDEMARK_MODEL_SEQUENCES !== undefined;
const usual: Record<TargetName, number> = { postgresql: 8, mysql: 5, duckdb: 1, webhook: 3, s3: 2 };

/** Sequences that have found faults. */
const found: Record<TargetName, number[]> = {
  postgresql: [],
  mysql: [],
  duckdb: [],
  webhook: [],
  s3: [10_002],
};

/** What a line of a sequence's log tells, without names and numbers. */
function kindOf(line: string): string {
  if (line.startsWith('{')) return `settings of mode ${JSON.parse(line).mode}`;
  if (/^(insert|update|delete)/.test(line)) return 'changes of the source';
  if (line.startsWith('execute {'))
    return `execute ${Object.keys(JSON.parse(line.slice(8))).join(' and ')}`.trim();
  return line.replace(/ (\{.*|\d+)$/, '').replace(/^(target): .*/, '$1 changed by others');
}

for (const name of targetNames) {
  if (TIDEMARK_MODEL_TARGET && TIDEMARK_MODEL_TARGET !== name) continue;
  const describeTarget = name === 'mysql' ? describeMariadb : describe;
  describeTarget(`the reference model and ${name}`, () => {
    let world: ModelSyncs;
    let target: PlayedTarget;

    beforeAll(async () => {
      world = await startModelSyncs();
      world.batchSize = 5;
      target = await openTarget[name](world);
    });
    afterAll(async () => {
      await target?.[Symbol.asyncDispose]();
      await world?.[Symbol.asyncDispose]();
    });

    const first = Number(TIDEMARK_MODEL_SEED ?? 1);
    const count = Number(TIDEMARK_MODEL_SEQUENCES ?? usual[name]);
    const repeat = Number(TIDEMARK_MODEL_REPEAT);
    const seeds = Array.from({ length: count * repeat }, (_, index) => first + Math.floor(index / repeat));
    test(`${count} sequences from seed ${first}`, { timeout: long ? 0 : 600_000 }, async () => {
      const failed: number[] = [];
      const happened = new Map<string, number>();
      for (const [played, seed] of [...(long ? [] : found[name]), ...seeds].entries()) {
        const log: string[] = [];
        try {
          await play(world, target, seed, log);
        } catch (error) {
          failed.push(seed);
          console.error(`${name}, seed ${seed}:\n  ${log.join('\n  ')}\n${error instanceof Error ? error.stack : error}
replay: npm run chaos:model -- --target ${name} --seed ${seed} --sequences 1`);
        }
        for (const line of log.map(kindOf)) happened.set(line, (happened.get(line) ?? 0) + 1);
        if (long && (played + 1) % 100 === 0) {
          console.log(`${name}: ${played + 1} sequences, failed: ${failed.join(', ') || 'none'}`);
        }
      }
      if (long)
        console.log(`${name}: ${[...happened].map(([kind, times]) => `${kind} ${times}`).join(', ')}`);
      expect(failed, 'seeds whose sequence does not hold').toEqual([]);
    });
  });
}
