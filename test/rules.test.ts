import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '..');

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
