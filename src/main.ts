import { takeWorkerFlags } from './host/index.ts';

if (process.argv[2] === 'worker') takeWorkerFlags();
const { run } = await import('./cli/index.ts');
process.exitCode = await run(process.argv.slice(2), process.env);
