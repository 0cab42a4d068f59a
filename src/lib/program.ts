import path from 'node:path';

/** Whether this is what `npm run build` made of the sources, all in one folder. */
const isBuilt = !import.meta.filename.endsWith('.ts');

/** Folder of the package: what is read from it at run time is named from here. */
export const packageRoot = path.join(import.meta.dirname, isBuilt ? '..' : '../..');

const sources = {
  main: 'src/main.ts',
  isolate: 'src/isolate.ts',
  'duckdb-engine': 'src/connectors/duckdb-engine/process.ts',
};

/** Path of a program that processes of ours run. */
export function programPath(name: keyof typeof sources): string {
  return path.join(packageRoot, isBuilt ? `dist/${name}.js` : sources[name]);
}
