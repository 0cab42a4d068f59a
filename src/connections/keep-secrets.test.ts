import type { TSchema } from 'typebox';
import { expect, test } from 'vitest';
import { connectors } from '../connectors/index.ts';
import { isJsonObject, type Json, type JsonObject } from '../lib/json.ts';
import { keepSecrets } from './keep-secrets.ts';
import { holdsSecrets, itemsOf, mask, maskConfiguration, maskedIn, propertiesOf } from './secrets.ts';

type Path = (string | number)[];

/** A configuration in which every key is set, and where its secrets are. */
function full(schema: TSchema, at: Path, secrets: Path[]): Json {
  const { type, sensitive } = schema as { type?: string; sensitive?: boolean };
  if (sensitive) secrets.push(at);
  if (type === 'object') {
    const entries = Object.entries(propertiesOf(schema));
    return Object.fromEntries(entries.map(([key, inner]) => [key, full(inner, [...at, key], secrets)]));
  }
  if (type === 'array') return [0, 1].map((n) => full(itemsOf(schema), [...at, n], secrets));
  if (type === 'integer') return 1;
  return type === 'boolean' ? true : at.join('-');
}

const configurations = connectors
  .filter(({ configuration }) => holdsSecrets(configuration))
  .map((connector) => {
    const secrets: Path[] = [];
    const stored = full(connector.configuration, [], secrets) as JsonObject;
    return { connector, stored, secrets };
  });

function holderOf(configuration: Json, path: Path): { holder: Record<string, Json>; key: string } {
  let holder = configuration as Record<string, Json>;
  for (const part of path.slice(0, -1)) holder = holder[String(part)] as Record<string, Json>;
  return { holder, key: String(path.at(-1)) };
}

test.each(configurations)('$connector.id: every secret is kept when it is left out or masked', (one) => {
  const { connector, stored, secrets } = one;
  expect(secrets.length).toBeGreaterThan(0);
  const masked = maskConfiguration(connector.configuration, stored);
  expect(keepSecrets(connector, masked, stored)).toEqual(stored);
  const without = structuredClone(stored);
  for (const path of secrets) {
    const { holder, key } = holderOf(masked, path);
    expect(holder[key], path.join('.')).toBe(mask);
    const left = holderOf(without, path);
    delete left.holder[left.key];
    const one = structuredClone(stored);
    delete holderOf(one, path).holder[key];
    expect(keepSecrets(connector, one, stored), path.join('.')).toEqual(stored);
  }
  expect(keepSecrets(connector, without, stored)).toEqual(stored);
});

test.each(configurations)('$connector.id: no kept secret goes to another server', (one) => {
  const { connector, stored, secrets } = one;
  for (const place of connector.address.server) {
    const moved = structuredClone(stored);
    const target = holderOf(moved, place.split('.'));
    target.holder[target.key] = target.holder[target.key] === 1 ? 2 : 'elsewhere.example';
    // All secrets sent again: nothing is kept.
    expect(keepSecrets(connector, moved, stored)).toEqual(moved);
    for (const path of secrets) {
      for (const value of [undefined, mask]) {
        const sent = structuredClone(moved);
        const { holder, key } = holderOf(sent, path);
        if (value === undefined) delete holder[key];
        else holder[key] = value;
        expect(() => keepSecrets(connector, sent, stored), path.join('.')).toThrow(/send the secret again/);
      }
    }
  }
});

test.each(configurations)(
  '$connector.id: null and empty remove a secret, another value replaces it',
  (one) => {
    const { connector, stored, secrets } = one;
    for (const path of secrets) {
      for (const value of [null, '', 'another']) {
        const sent = structuredClone(stored);
        const { holder, key } = holderOf(sent, path);
        holder[key] = value;
        const { holder: result } = holderOf(keepSecrets(connector, sent, stored), path);
        expect(result[key] ?? null, path.join('.')).toBe(value);
      }
    }
  },
);

test.each(configurations)('$connector.id: a mask is found wherever a secret may be', (one) => {
  const { connector, stored, secrets } = one;
  expect(maskedIn(connector.configuration, stored, 'configuration')).toBeUndefined();
  for (const path of secrets) {
    const sent = structuredClone(stored);
    const { holder, key } = holderOf(sent, path);
    holder[key] = mask;
    expect(maskedIn(connector.configuration, sent, 'configuration')).toBe(
      ['configuration', ...path].join('.'),
    );
  }
});

const enrichment = configurations.find(({ connector }) => connector.id === 'httpenrichment');

test('what holds secrets is kept whole when it is left out, and removed when it is sent empty', () => {
  const { connector, stored } = enrichment ?? expect.fail('no httpenrichment');
  const { auth, ...rest } = stored;
  expect(keepSecrets(connector, rest, stored)).toEqual(stored);
  expect(keepSecrets(connector, { ...rest, auth: null }, stored)).toEqual(rest);
  expect(keepSecrets(connector, { ...rest, auth: { query: [] } }, { ...rest, auth: { query: [] } })).toEqual({
    ...rest,
    auth: { query: [] },
  });
  expect(isJsonObject(auth)).toBe(true);
});

test('another way to authenticate replaces the one that is left out', () => {
  const { connector } = enrichment ?? expect.fail('no httpenrichment');
  const stored = {
    url: 'https://a.example',
    method: 'GET',
    auth: { query: [{ name: 'key', value: 'secret' }] },
  };
  const basic = { username: 'me', password: 'other' };
  // Typed clients send every member; what is empty is not chosen.
  const zeros = { basic: {}, header: { name: '', value: '' }, oauth: { auth_style: 0, scopes: [] } };
  expect(keepSecrets(connector, { ...stored, auth: { ...zeros, basic } }, stored)).toMatchObject({
    auth: { basic },
  });
  const changed = keepSecrets(connector, { ...stored, auth: { ...zeros, basic } }, stored);
  expect(changed.auth).not.toHaveProperty('query');
  expect(keepSecrets(connector, { ...stored, auth: zeros }, stored).auth).toMatchObject(stored.auth);
});

test('items of a list are recognized by their open members, in any order; a mask is never stored', () => {
  const { connector } = enrichment ?? expect.fail('no httpenrichment');
  const at = (query: Json) => ({ url: 'https://a.example', method: 'GET', auth: { query } });
  const stored = at([
    { name: 'a', value: '1' },
    { name: 'b', value: '2' },
    { name: 'b', value: '3' },
  ]);
  const sent = at([{ name: 'b', value: mask }, { name: 'c', value: '4' }, { name: 'b' }, { name: 'a' }]);
  expect(keepSecrets(connector, sent, stored)).toEqual(
    at([
      { name: 'b', value: '2' },
      { name: 'c', value: '4' },
      { name: 'b', value: '3' },
      { name: 'a', value: '1' },
    ]),
  );
  const unknown = at([{ name: 'c', value: mask }]);
  expect(() => keepSecrets(connector, unknown, stored)).toThrow(/auth\.query\.0\.value/);
});
