/**
 * `npm run chaos:hostile -- --seed 1 --mutations 20000 --target mysql`: the long form of hostile.mariadb.test.ts, which prints a
 * line per mutation. A seed says all of it: what is done at the system, which of its messages is changed, and how.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { targetNames } from './target-names.ts';

const { values } = parseArgs({
  options: {
    mutations: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '1' },
    target: { type: 'string' },
  },
});
if (values.target !== undefined && !targetNames.some((name) => name === values.target)) {
  console.error(`--target takes ${targetNames.join(', ')}`);
  process.exit(2);
}
const { status } = spawnSync(
  'npx',
  ['vitest', 'run', 'test/hostile/hostile', '--disable-console-intercept'],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      TIDEMARK_HOSTILE_MUTATIONS: values.mutations,
      TIDEMARK_HOSTILE_SEED: values.seed,
      ...(values.target === undefined ? {} : { TIDEMARK_HOSTILE_TARGET: values.target }),
    },
  },
);
process.exitCode = status ?? 1;
