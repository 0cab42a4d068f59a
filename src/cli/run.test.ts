/** Command lines that are refused or fail, in this process: what is printed, and the exit code. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { run } from './index.ts';
import { printable, printableJson } from './printable.ts';

let errors: string[];
beforeEach(() => {
  errors = [];
  vi.spyOn(console, 'error').mockImplementation((line) => void errors.push(String(line)));
});
afterEach(() => void vi.restoreAllMocks());

/** The environment of a data directory that a server was started on once. */
async function onDataDirectory(): Promise<Record<string, string>> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tidemark-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(path.join(folder, 'api-key'), 'a-key-of-the-test');
  return { TIDEMARK_DATA_DIR: folder };
}

test('what is not understood is explained in one line, with code 2; what fails, with code 1', async () => {
  const environment = await onDataDirectory();
  const wrong = [
    [2, ['listen'], /^tidemark listen: --forward-to <url> is missing/],
    [2, ['listen', '--forward-to', 'localhost:80'], /^tidemark listen: --forward-to: takes an http/],
    [2, ['events', 'tail', '--type', 'sync.exploded'], /sync\.exploded is none of sync\.running/],
    [2, ['events', 'tail', '--type', 'sync.compelted'], /Did you mean sync\.completed\?/],
    [2, ['events', 'tail', '--since', 'yesterday'], /yesterday is no RFC 3339 time/],
    [2, ['trigger'], /<type> is missing: One of sync\.running/],
    [2, ['migrate', '--dry-run'], /migrate has no option --dry-run/],
    [1, ['migrate'], /DATABASE_URL: not set, and no server with an embedded PostgreSQL runs/],
    [1, ['trigger', 'sync.failed', '--url', 'http://127.0.0.1:1'], /does not answer: is the server running/],
    [1, ['events', 'tail', '--url', 'http://127.0.0.1:1'], /does not answer .*: is the server running/],
  ] as const;
  for (const [code, args, message] of wrong) {
    errors = [];
    expect(await run([...args], environment), args.join(' ')).toBe(code);
    expect(errors).toEqual([expect.stringMatching(message)]);
  }
});

test('a variable that is no setting is named, whatever the command', async () => {
  const environment = { ...(await onDataDirectory()), TIDEMARK_PROT: '9999' };
  expect(await run(['migrate'], environment)).toBe(1);
  expect(errors[0]).toMatch(/^tidemark: TIDEMARK_PROT is set, .* Did you mean TIDEMARK_PORT\?/);
});

test('names from elsewhere cannot write on the terminal what is not so', () => {
  const forged = 'Orders\u001b[2K\r\n2026-01-01T00:00:00Z  sync.completed \u009b31m\u202eOrders\u2028';
  expect(printable(forged)).toBe(
    'Orders\\u{1b}[2K\\u{d}\\u{a}2026-01-01T00:00:00Z  sync.completed \\u{9b}31m\\u{202e}Orders\\u{2028}',
  );
  expect(printable('Bestellungen → Zürich 👩‍💻')).toBe('Bestellungen → Zürich 👩‍💻');
  const json = printableJson(JSON.stringify({ forged }));
  expect(json).not.toMatch(/[\p{Cc}\u2028\u202e]/u);
  expect(JSON.parse(json)).toEqual({ forged });
});
