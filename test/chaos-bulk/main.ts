/**
 * `npm run chaos:bulk -- --runs 2000 --seed 1`: the long form of chaos-bulk.mariadb.test.ts, which prints a line per seed.
 * `--kind 'mysql>duckdb'` plays one kind of world alone, `--kind '>duckdb'` all with this destination; sources are
 * `postgresql`, `session` and `transaction` (PostgreSQL through pgbouncer in this mode) and `mysql`. `--lanes 2` plays
 * two worlds at a time. `--kills 30` kills the worker of a bulk sync so many times in one table, for every kind of
 * destination.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    kind: { type: 'string' },
    lanes: { type: 'string', default: '1' },
    kills: { type: 'string' },
  },
});
const { runs, seed, kind, lanes, kills } = values;
const [files, settings] =
  kills === undefined
    ? [
        'test/chaos-bulk',
        {
          TIDEMARK_CHAOS_RUNS: runs,
          TIDEMARK_CHAOS_SEED: seed,
          TIDEMARK_CHAOS_LANES: lanes,
          ...(kind === undefined ? {} : { TIDEMARK_CHAOS_KIND: kind }),
        },
      ]
    : ['src/bulk-syncs/resume', { TIDEMARK_TEST_KILLS: kills }];
const { status } = spawnSync('vitest', ['run', files, '--disable-console-intercept'], {
  stdio: 'inherit',
  env: { ...process.env, ...settings },
});
process.exitCode = status ?? 1;
