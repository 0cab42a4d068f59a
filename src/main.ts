import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import path from 'node:path';

const [command = ''] = process.argv.slice(2);
const dataDir = process.env.TIDEMARK_DATA_DIR || '.tidemark';

// Compiling is half of what a start costs. Node keeps what it has compiled in the data directory, also for the processes that
// this one starts; a folder that all users share would let others choose what runs.
if (['serve', 'worker'].includes(command) && !process.env.NODE_COMPILE_CACHE && existsSync(dataDir)) {
  process.env.NODE_COMPILE_CACHE = path.resolve(dataDir, 'compiled');
  enableCompileCache(process.env.NODE_COMPILE_CACHE);
}

const { run } = await import('./cli/index.ts');
process.exitCode = await run(process.argv.slice(2), process.env);
