import { compactDecrypt } from 'jose';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import { startReceiver } from '../../test/support/receiver.ts';
import { presentModelSync } from './present.ts';

let world: ModelSyncs;
const passphrase = 'correct horse battery stäple';

beforeAll(async () => {
  world = await startModelSyncs();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  await world.source.query(`
    drop table if exists customers;
    create table customers (id bigint primary key, email text, born date, visits numeric);
    insert into customers values (1, 'émile@example.com', '1980-02-29', 10.50), (2, 'émile@example.com', null, 2),
      (3, '', '1990-01-01', 12345678901234567890.5)`);
  await world.target.query(`
    drop table if exists contacts;
    create table contacts (contact_id bigint primary key, email text, born varchar(400), visits numeric, plain text)`);
});

type Settings = Parameters<ModelSyncs['createSync']>[0];
async function settingsOf(more: Partial<Settings> = {}): Promise<Settings> {
  const model = await world.createModel({ table: 'public.customers' }, 'id');
  return {
    model,
    identity: ['id', 'contact_id'],
    fields: ['email', 'born', 'visits', ['email', 'plain']],
    encrypted: ['email', 'born'],
    encryption_passphrase: passphrase,
    ...more,
  };
}

interface Contact {
  email: string | null;
  born: string | null;
  visits: string;
  plain: string;
}
const contacts = () =>
  world.target.query<Contact>('select email, born, visits::text, plain from contacts order by contact_id');

/** With a library that knows nothing of Tidemark. */
async function decrypt(jwe: string | null | undefined, secret = passphrase): Promise<string> {
  const { plaintext } = await compactDecrypt(jwe ?? '', Buffer.from(secret), {
    keyManagementAlgorithms: ['PBES2-HS512+A256KW'],
    maxPBES2Count: 210_000,
  });
  return Buffer.from(plaintext).toString();
}

test('encrypted fields arrive as JWE that other programs open; logs and plan have no other form', async () => {
  const sync = await world.createSync(await settingsOf());
  const { id, counts } = await world.execute(sync);
  expect(counts).toMatchObject({ total: 3, insert: 3 });
  const [first, second, third] = await contacts();
  expect(await decrypt(first?.email)).toBe('émile@example.com');
  expect(await decrypt(first?.born)).toBe('1980-02-29');
  expect(await decrypt(third?.email)).toBe('');
  expect(second?.born).toBeNull();
  expect(first).toMatchObject({ visits: '10.50', plain: 'émile@example.com' });
  // Nobody sees that two records have the same value.
  expect(first?.email).not.toBe(second?.email);
  const logged = (await world.log(id, 'inserts')) as Contact[];
  expect(logged).toContainEqual(expect.objectContaining({ email: first?.email, born: first?.born }));
});

test('unchanged is unchanged, in mode replace, too; another passphrase sends every record again', async () => {
  const settings = await settingsOf();
  const sync = await world.createSync(settings);
  await world.execute(sync);
  const before = await contacts();
  expect((await world.execute(sync)).counts).toMatchObject({ total: 0 });
  await world.execute(sync, { resync: true });
  expect(await contacts()).toEqual(before);

  // Neither leaving the passphrase out nor sending it again changes anything.
  const { encryption_passphrase: _, ...without } = settings;
  for (const same of [without, settings]) {
    expect((await world.execute(await world.updateSync(sync.id, same))).counts).toMatchObject({ total: 0 });
  }
  const replacing = await world.createSync({ ...settings, mode: 'replace' });
  await world.execute(replacing);
  expect((await world.execute(replacing)).counts).toEqual({ total: 3, error: 0 });

  const changed = await world.updateSync(sync.id, { ...settings, encryption_passphrase: 'another' });
  expect((await world.execute(changed)).counts).toMatchObject({ total: 3, update: 3 });
  const [first] = await contacts();
  expect(await decrypt(first?.email, 'another')).toBe('émile@example.com');
  await expect(decrypt(first?.email)).rejects.toThrow();
});

test('a webhook gets encrypted text, and what overrides made of a value', async () => {
  const receiver = await startReceiver();
  const connectionId = await world.connect('webhook', { url: `${receiver.url}/hook` });
  const sync = await world.createSync(
    await settingsOf({
      connectionId,
      object: 'http',
      identity: ['id', 'record'],
      fields: [['visits', 'record']],
      encrypted: ['visits'],
      overrides: [{ field_id: 'visits', function: 'Equality', value: 2, override: 3 }],
    }),
  );
  await world.execute(sync);
  interface Body {
    object: { records: { fields: { id: number; visits: string } }[] };
  }
  const [{ body } = { body: '' }] = receiver.requests;
  const records = (JSON.parse(`${body}`) as Body).object.records.map(({ fields }) => fields);
  expect(await decrypt(records.find(({ id }) => id === 2)?.visits)).toBe('3');
  await receiver.close();
});

test('the passphrase is sealed and never returned; what cannot be encrypted is refused, by name', async () => {
  const sync = await world.createSync(await settingsOf());
  const stored = await world.db
    .selectFrom('model_syncs')
    .select(['definition', 'encryption_passphrase'])
    .where('id', '=', sync.id)
    .executeTakeFirstOrThrow();
  const presented = presentModelSync(sync, 'either');
  expect(`${JSON.stringify([stored.definition, presented])} ${stored.encryption_passphrase}`).not.toContain(
    'correct horse',
  );
  expect(presented).not.toHaveProperty('encryption_passphrase');
  expect(presented.fields.map((field) => field.encryption_enabled)).toEqual([true, true, false, false]);

  const refusals: [Partial<Settings>, RegExp][] = [
    [{ encryption_passphrase: '' }, /encryption_passphrase.*needed/],
    [{ encrypted: ['visits'] }, /fields\.2\.encryption_enabled.*visits is of type numeric/],
    [{ fields: [['id', 'plain']], encrypted: ['id'] }, /fields\.0\.encryption_enabled.*identity/],
  ];
  for (const [more, reason] of refusals) {
    await expect(world.createSync(await settingsOf(more)), reason.source).rejects.toThrow(reason);
  }
});
