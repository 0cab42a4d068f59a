import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';

const source = path.join(import.meta.dirname, '../src');

/** Low to high. A room imports from rooms of a lower row, never sideways or upwards. */
const rows = [
  ['limits.ts'],
  ['lib', 'errors.ts'],
  ['schema', 'config.ts'],
  ['db', 'egress', 'conditions', 'isolation'],
  ['jobs', 'organizations'],
  ['connectors'],
  ['connections'],
  ['events'],
  ['webhooks', 'schedules'],
  ['executions'],
  ['models'],
  ['model-syncs', 'bulk-syncs'],
  ['api', 'host'],
  ['open-isolate.ts', 'child-environment.ts'],
  ['server-tasks.ts', 'worker-tasks.ts', 'worker.ts', 'server.ts'],
  ['isolate.ts'],
  ['cli'],
  ['main.ts'],
];
const rank = new Map(rows.flatMap((row, index) => row.map((room) => [room, index] as const)));
/** Rooms of plain files: every file is importable. The others are entered through their index.ts. */
const open = new Set(['lib', 'schema']);

const roomOf = (file: string) => path.relative(source, file).split(path.sep)[0] ?? '';

async function* imports(): AsyncGenerator<{ from: string; to: string }> {
  for (const entry of await readdir(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts') || entry.name.endsWith('.test.ts')) continue;
    const from = path.join(entry.parentPath, entry.name);
    const text = await readFile(from, 'utf8');
    for (const [, specifier = ''] of text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
      yield { from, to: path.resolve(path.dirname(from), specifier) };
    }
  }
}

test('rooms import only from lower rooms, and only through their index', async () => {
  const breaches: string[] = [];
  let seen = 0;
  for await (const { from, to } of imports()) {
    if (!to.startsWith(source)) continue;
    seen++;
    const [here, there] = [roomOf(from), roomOf(to)];
    const [mine, theirs] = [rank.get(here), rank.get(there)];
    const shown = `${path.relative(source, from)} → ${path.relative(source, to)}`;
    if (mine === undefined || theirs === undefined) breaches.push(`${shown}: a room that is in no row`);
    else if (here === there) continue;
    else if (theirs >= mine) breaches.push(`${shown}: not a lower room`);
    else if (!there.endsWith('.ts') && !open.has(there) && path.basename(to) !== 'index.ts') {
      breaches.push(`${shown}: not through ${there}/index.ts`);
    }
  }
  expect(seen).toBeGreaterThan(50);
  expect(breaches).toEqual([]);
});
