import { expect, test } from 'vitest';
import type { ColumnName, SelectedSchema } from './bulk-sync.ts';
import { columnNames, outputNames } from './output-names.ts';

const namesOf = (given: readonly ColumnName[]) => given.map(({ name }) => name);

const schema = (id: string, userOutputName = ''): SelectedSchema => ({
  id,
  enabled: true,
  columnNames: [],
  settings: {
    fields: [],
    filters: [],
    trackingField: '',
    partitionKey: '',
    userOutputName,
    dataCutoffTimestamp: null,
    disableDataCutoff: false,
  },
});

const names = (
  schemas: SelectedSchema[],
  destinationConfiguration = {},
  normalizeNames: 'enabled' | 'disabled' = 'enabled',
) =>
  Object.fromEntries(
    [...outputNames({ destinationConfiguration, normalizeNames }, schemas)].map(([id, { schema, name }]) => [
      id,
      `${schema}.${name}`,
    ]),
  );

test('normalizes to lower snake case, or leaves names alone', () => {
  const ids = [
    'public.OrderItems',
    'public.ta.ble "x" 🦩',
    'public.2024',
    'public.straße_東京',
    'public._x',
    'public.🦩',
  ];
  expect(names(ids.map((id) => schema(id)))).toEqual({
    'public.OrderItems': 'public.order_items',
    'public.ta.ble "x" 🦩': 'public.ta_ble_x',
    'public.2024': 'public._2024',
    'public.straße_東京': 'public.straße_東京',
    'public._x': 'public._x',
    'public.🦩': 'public._',
  });
  expect(names([schema('public.ta.ble "x" 🦩')], {}, 'disabled')).toEqual({
    'public.ta.ble "x" 🦩': 'public.ta.ble "x" 🦩',
  });
});

test('schema, prefix and mirrored schemas', () => {
  expect(names([schema('sales.users')], { schema: 'warehouse', advanced: { table_prefix: 'crm_' } })).toEqual(
    {
      'sales.users': 'warehouse.crm_users',
    },
  );
  expect(names([schema('sales.users'), schema('Accounts')], { schema: 'w', mirror_schemas: true })).toEqual({
    'sales.users': 'sales.users',
    Accounts: 'w.accounts',
  });
});

test('names that collide get the namespace, then a number; chosen names stay', () => {
  const schemas = [
    schema('c.users'),
    schema('b.users'),
    schema('a.users'),
    schema('b.Users'),
    schema('x.y', 'b_users'),
  ];
  expect(names(schemas, { schema: 'w' })).toEqual({
    'x.y': 'w.b_users',
    'a.users': 'w.users',
    'b.Users': 'w.b_users_2',
    'b.users': 'w.b_users_3',
    'c.users': 'w.c_users',
  });
});

test('long names are cut between characters and stay different', () => {
  const long = 'é'.repeat(40);
  const columns = namesOf(columnNames([`${long}a`, `${long}b`, 'id'], [], 'disabled'));
  expect(columns).toEqual(['é'.repeat(31), `${'é'.repeat(30)}_2`, 'id']);
  expect(columns.every((name) => Buffer.byteLength(name) <= 63)).toBe(true);
});

test('columns take the names chosen for them', () => {
  const fields = [{ id: 'Email', enabled: true, obfuscated: false, userOutputName: 'Mail' }];
  expect(namesOf(columnNames(['Email', 'firstName', 'mail'], fields, 'enabled'))).toEqual([
    'Mail',
    'first_name',
    'mail_2',
  ]);
});

test('columns keep the names they were given, and get no name that another one was given', () => {
  const first = columnNames(['firstName', 'first_name', 'id'], [], 'enabled');
  expect(namesOf(first)).toEqual(['first_name', 'first_name_2', 'id']);
  expect(namesOf(columnNames(['first_name', 'id'], [], 'enabled', first))).toEqual(['first_name_2', 'id']);
  expect(namesOf(columnNames(['first_name', 'firstName'], [], 'enabled', first))).toEqual([
    'first_name_2',
    'first_name',
  ]);
  // What came later takes neither name, whatever became of those who have them.
  expect(namesOf(columnNames(['FirstName', 'id'], [], 'enabled', first))).toEqual(['first_name_3', 'id']);
  // Somebody who chooses a name knows whose it was.
  const chosen = [{ id: 'FirstName', enabled: true, obfuscated: false, userOutputName: 'first_name' }];
  expect(namesOf(columnNames(['FirstName', 'first_name'], chosen, 'enabled', first))).toEqual([
    'first_name',
    'first_name_2',
  ]);
  // Under other settings names are derived again, and the old ones stay whose they were.
  const verbatim = columnNames(['firstName', 'first_name'], [], 'disabled', first);
  expect(namesOf(verbatim)).toEqual(['firstName', 'first_name_2']);
});
