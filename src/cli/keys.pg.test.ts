/** `tidemark keys` on a database, in this process: what it prints and what the keys open. */
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { createMetadataDatabase, type MetadataDatabase } from '../../test/support/database.ts';
import { KeyRing } from '../lib/seal.ts';
import { authenticate, bootstrap, createOrganization, createUser } from '../organizations/index.ts';
import { run } from './index.ts';

let database: MetadataDatabase;
let first: string;

beforeAll(async () => {
  database = await createMetadataDatabase();
  first = (await bootstrap({ db: database.db })).apiKey ?? '';
  const keyRing = new KeyRing([Buffer.alloc(32, 1)]);
  for (const name of ['North', 'South']) {
    const { id } = await createOrganization({ db: database.db, keyRing }, { name });
    await createUser(database.db, id, { email: 'both@example.com', role: 'admin' });
  }
});
afterAll(() => database[Symbol.asyncDispose]());

async function tidemark(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const log = vi.spyOn(console, 'log').mockReturnValue();
  const error = vi.spyOn(console, 'error').mockReturnValue();
  onTestFinished(() => {
    log.mockRestore();
    error.mockRestore();
  });
  log.mockClear();
  error.mockClear();
  const code = await run(argv, { DATABASE_URL: database.url });
  const text = (calls: unknown[][]) => calls.map(([line]) => String(line)).join('\n');
  return { code, out: text(log.mock.calls), err: text(error.mock.calls) };
}

const opens = async (key: string) =>
  (await authenticate({ db: database.db, partnerKey: undefined }, `Bearer ${key}`)) !== undefined;

test('keys create adds a key, says so, and revokes none; keys revoke takes one back', async () => {
  const made = await tidemark('keys', 'create', 'admin@localhost', '--name', 'laptop');
  expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  expect(made.err).toContain('The user’s other keys (1) go on working');
  expect(await opens(made.out)).toBe(true);
  expect(await opens(first)).toBe(true);

  const list = await tidemark('keys', 'list');
  expect(list.out).not.toContain(made.out);
  const laptop = list.out.split('\n').find((line) => line.endsWith('laptop')) ?? '';
  const [, , , , id = ''] = laptop.split('\t');
  expect(made.err).toContain(`tidemark keys revoke ${id}`);
  expect(list.out).toMatch(/both@example\.com\tadmin\tNorth\t\S+\tno key/);

  expect(await tidemark('keys', 'revoke', id)).toMatchObject({ code: 0 });
  expect(await opens(made.out)).toBe(false);
  expect(await opens(first)).toBe(true);
  expect(await tidemark('keys', 'revoke', id)).toMatchObject({
    code: 1,
    err: expect.stringContaining('No API key'),
  });
});

test('an e-mail in two organizations is refused unless one is named', async () => {
  const refused = await tidemark('keys', 'create', 'both@example.com');
  expect(refused).toMatchObject({ code: 2, out: '' });
  expect(refused.err).toMatch(/2 organizations: North \(\S+\), South \(\S+\)\. Say which with --org/);
  const made = await tidemark('keys', 'create', 'both@example.com', '--org', 'South');
  expect(made.code).toBe(0);
  const south = await tidemark('keys', 'list', '--org', 'South');
  expect(south.out.split('\n').length).toBe(1);
  expect(await tidemark('keys', 'list', '--org', 'Suoth')).toMatchObject({
    code: 2,
    err: expect.stringContaining('Did you mean South?'),
  });
  expect(await tidemark('keys', 'create', 'admin@localhos')).toMatchObject({
    code: 2,
    err: expect.stringContaining('Did you mean admin@localhost?'),
  });
});

test('a database that refuses is one line, with its name', async () => {
  const error = vi.spyOn(console, 'error').mockReturnValue();
  onTestFinished(() => error.mockRestore());
  for (const argv of [['migrate'], ['keys', 'list']]) {
    const DATABASE_URL = `${database.url}_that_is_not_there`;
    expect(await run(argv, { DATABASE_URL })).toBe(1);
    expect(error.mock.lastCall?.[0]).toMatch(
      /^tidemark [a-z ]+: DATABASE_URL: database "\S+" does not exist$/,
    );
  }
});
