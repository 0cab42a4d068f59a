/**
 * `npm run chaos:bulk -- --runs 2000 --seed 1`: the long form of chaos-bulk.mariadb.test.ts, which prints a line per seed.
 * `--kind duckdb` plays one kind of destination alone. `--kills 30` kills the worker of a bulk sync so many times in one
 * table, for every kind of destination.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    kind: { type: 'string' },
    kills: { type: 'string' },
  },
});
const { runs, seed, kind, kills } = values;
const [files, settings] =
  kills === undefined
    ? [
        'test/chaos-bulk',
        {
          TIDEMARK_CHAOS_RUNS: runs,
          TIDEMARK_CHAOS_SEED: seed,
          ...(kind === undefined ? {} : { TIDEMARK_CHAOS_KIND: kind }),
        },
      ]
    : ['src/bulk-syncs/resume', { TIDEMARK_TEST_KILLS: kills }];
const { status } = spawnSync('vitest', ['run', files], {
  stdio: 'inherit',
  env: { ...process.env, ...settings },
});
process.exitCode = status ?? 1;
