/**
 * `npm run chaos:model -- --sequences 1000 --seed 1 --target mysql`: the long form of play.mariadb.test.ts. `--repeat 50`
 * plays each seed that often, for what fails once in a while.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { targetNames } from './target-names.ts';

const { values } = parseArgs({
  options: {
    sequences: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    target: { type: 'string' },
    repeat: { type: 'string', default: '1' },
  },
});
if (values.target !== undefined && !targetNames.some((name) => name === values.target)) {
  console.error(`--target takes ${targetNames.join(', ')}`);
  process.exit(2);
}
const { status } = spawnSync('npx', ['vitest', 'run', 'test/model/play'], {
  stdio: 'inherit',
  env: {
    ...process.env,
    TIDEMARK_MODEL_SEQUENCES: values.sequences,
    TIDEMARK_MODEL_SEED: values.seed,
    TIDEMARK_MODEL_REPEAT: values.repeat,
    ...(values.target === undefined ? {} : { TIDEMARK_MODEL_TARGET: values.target }),
  },
});
process.exitCode = status ?? 1;
