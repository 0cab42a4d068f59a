/** Which Node runs Tidemark. Plain JavaScript for old Nodes to understand, which is why it is not under src/. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** It strips types and knows `using`; Node 22 does not. */
const oldest = 24;

export const isRecent = Number(process.versions.node.split('.')[0]) >= oldest;

/** The Node that comes with `npm ci` (npm's package `node`); undefined where its install script did not run. */
export function pinnedNode() {
  try {
    const folder = path.dirname(createRequire(import.meta.url).resolve('node/package.json'));
    const binary = path.join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

export const tooOld =
  `Tidemark needs Node ${oldest} or newer; this is Node ${process.versions.node} (${process.execPath}).\n` +
  'npm brings one along as the package "node", and it is not there: its install script did not run. ' +
  `Run "npm rebuild node", or use a Node ${oldest} of your own.`;
