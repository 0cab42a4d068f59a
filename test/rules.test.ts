import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '..');

/** The files of our own code, without its tests. */
const sources = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
  /(?<!\.test|\.fixture)\.ts$/.test(name),
);

test('times are read in one place, and dates of HTTP headers in another', () => {
  const readers = sources.filter((name) => {
    const text = readFileSync(path.join(root, 'src', name), 'utf8');
    // A Date made of a text parses it, too.
    return /\bDate\.parse\(|new Date\(\s*['"`]/.test(text);
  });
  expect(readers).toEqual(['lib/retry-after.ts']);
});

test('every numbered rule of the event protocol is tied to a test that names it', () => {
  const page = readFileSync(path.join(root, 'docs/event-stream.md'), 'utf8');
  const rules = [...page.matchAll(/^- \*\*([PS]\d+)\*\*/gm)].map(([, rule = '']) => rule);
  expect(rules.length).toBeGreaterThan(10);
  const files = ['src', 'test'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => readFileSync(path.join(root, folder, name), 'utf8')),
  );
  const named = new Set(
    files
      .flatMap((text) => [...text.matchAll(/test\(\s*['`][^\n]*\[([PS]\d+(?:, [PS]\d+)*)\]['`]/g)])
      .flatMap(([, list = '']) => list.split(', ')),
  );
  expect(rules.filter((rule) => !named.has(rule))).toEqual([]);
});
