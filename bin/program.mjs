/** Which program runs: what was built, or the sources where they are newer. Plain JavaScript, see runtime.mjs. */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');
const built = path.join(root, 'dist/main.js');
const sources = path.join(root, 'src');

/** @returns the path of the command line's program. */
export function program() {
  const newest = builtAt();
  return newest !== undefined && !hasNewer(sources, newest) ? built : path.join(sources, 'main.ts');
}

function builtAt() {
  try {
    return statSync(built).mtimeMs;
  } catch {
    return undefined;
  }
}

function hasNewer(folder, than) {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).some(
    (entry) =>
      entry.isFile() &&
      entry.name.endsWith('.ts') &&
      !entry.name.endsWith('.test.ts') &&
      statSync(path.join(entry.parentPath, entry.name)).mtimeMs > than,
  );
}
