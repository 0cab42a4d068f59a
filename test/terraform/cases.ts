import { accessCases } from './access-cases.ts';
import { bulkSync } from './bulk-sync.ts';
import type { Case, World } from './case.ts';
import { model } from './model.ts';
import { modelSync } from './model-sync.ts';
import { bulkSyncSchedule, primaryKeys } from './schemas-and-schedules.ts';

const fieldOf = (world: World) => (field: string) => ({ model_id: world.customers, field });

export function cases(world: World): Case[] {
  const customer = fieldOf(world);
  return [
    ...accessCases(world),
    {
      name: 'model',
      resource: model,
      first: {
        name: 'Orders',
        connection_id: world.shop,
        configuration: { query: "select id, customer_id, total, now() as t from orders where note <> 'a&b'" },
        fields: ['id', 'customer_id', 'total'],
        identifier: 'id',
        tracking_columns: ['total'],
        relations: [{ from: 'customer_id', to: customer('id') }],
      },
      updates: [
        { change: { name: 'Orders 2' }, changes: ['name'] },
        { change: { fields: ['id', 'total', 't'], relations: null }, changes: ['fields', 'relations'] },
        { change: { identifier: null }, changes: ['identifier'] },
        {
          // Go prints it into the URL, too.
          change: {
            configuration: {
              query: `select id, '${'x y=z&'.repeat(5000)}' as total, now() as t from orders`,
            },
          },
          changes: ['configuration'],
        },
      ],
    },
    {
      name: 'model with nothing but its table',
      resource: model,
      first: {
        name: 'Bare',
        organization: world.organization,
        connection_id: world.shop,
        configuration: { table: 'public.orders' },
      },
      updates: [{ change: { name: 'Bare 2' }, changes: ['name'] }],
    },
    {
      name: 'sync with the least',
      resource: modelSync,
      first: {
        name: 'Least',
        active: false,
        mode: 'append',
        target: { connection_id: world.warehouse, create: { schema: 'public', name: 'made' } },
        fields: [{ source: customer('email'), target: 'email', new: true }],
        schedule: { frequency: 'weekly', day_of_week: '1', hour: '04', minute: '0' },
      },
      updates: [
        { change: { name: 'Least 2' }, changes: ['name'] },
        { change: { schedule: { frequency: 'manual', hour: '04' } }, changes: ['schedule'] },
      ],
    },
    {
      name: 'sync with everything',
      resource: modelSync,
      first: {
        name: 'Everything',
        organization: world.organization,
        active: true,
        mode: 'update',
        target: { connection_id: world.warehouse, object: 'public.contacts', filter_logic: '1 AND 2' },
        fields: [
          {
            source: customer('email'),
            target: 'email',
            sync_mode: 'updateOrCreate',
            new: false,
            encryption_enabled: false,
          },
          { source: customer('name'), target: 'full_name', override_value: 'someone' },
        ],
        override_fields: [{ target: 'flag', override_value: 'true' }],
        filters: [
          { source: customer('email'), function: 'Equality', value: 'c1@x.test', label: 'B' },
          { source: customer('id'), function: 'LessThan', value: 10, label: 'A' },
          { source: customer('notes'), function: 'IsNull', label: 'C' },
        ],
        target_filters: [
          { field: 'email', function: 'Equality', value: 'x', label: 'B' },
          { field: 'full_name', function: 'IsNull', label: 'A' },
        ],
        filter_logic: '(1 OR 2) AND 3',
        overrides: [
          { source: customer('email'), function: 'Equality', value: 'c2@x.test', override: 'second' },
          { source: customer('email'), function: 'IsNull', override: 'nobody' },
        ],
        schedule: { frequency: 'daily', hour: '3', minute: '30' },
        identity: { source: customer('id'), target: 'contact_id', function: 'Equality', new_field: false },
        sync_all_records: true,
        only_enrich_updates: false,
        skip_initial_backfill: true,
      },
      updates: [
        { change: { name: 'Everything 2' }, changes: ['name'] },
        {
          change: {
            target_filters: null,
            target: { connection_id: world.warehouse, object: 'public.contacts' },
          },
          changes: ['target', 'target_filters'],
        },
        {
          change: { filters: null, filter_logic: null, overrides: null, override_fields: null },
          changes: ['filter_logic', 'filters', 'override_fields', 'overrides'],
        },
        {
          change: {
            mode: 'create',
            sync_all_records: null,
            skip_initial_backfill: false,
            fields: [{ source: customer('email'), target: 'email', sync_mode: 'create' }],
          },
          changes: ['fields', 'mode', 'skip_initial_backfill', 'sync_all_records'],
        },
      ],
    },
    {
      name: 'sync whose filters have no labels, in mode replace',
      resource: modelSync,
      first: {
        name: 'Replaced',
        active: false,
        mode: 'replace',
        skip_initial_backfill: true,
        target: { connection_id: world.warehouse, object: 'public.contacts', configuration: {} },
        fields: [{ source: customer('email'), target: 'email' }],
        identity: { source: customer('id'), target: 'contact_id', function: 'Equality' },
        filters: [
          { source: customer('email'), function: 'StringOneOf', value: ['a', 'b'] },
          { source: customer('name'), function: 'IsNotNull' },
        ],
        schedule: { frequency: 'continuous' },
      },
      updates: [
        {
          change: { filters: [{ source: customer('name'), function: 'IsNotNull' }] },
          changes: ['filters'],
        },
        { change: { schedule: { frequency: 'weekly', day_of_week: 'Sunday' } }, changes: ['schedule'] },
      ],
    },
    {
      name: 'sync that runs after others',
      resource: modelSync,
      first: {
        name: 'After',
        active: true,
        mode: 'updateOrCreate',
        target: {
          connection_id: world.webhook,
          object: 'http',
          configuration: { batch_size: 50, metadata: ['a'] },
        },
        fields: [{ source: customer('email'), target: 'record' }],
        identity: { source: customer('id'), target: 'record', function: 'Equality' },
        encryption_passphrase: 'x-passphrase-long-enough',
        schedule: {
          frequency: 'runafter',
          run_after: { sync_ids: [world.modelSync] },
          run_after_success_only: true,
        },
      },
      updates: [
        { change: { encryption_passphrase: null }, changes: ['encryption_passphrase'] },
        {
          change: {
            schedule: {
              frequency: 'runafter',
              run_after: { bulk_sync_ids: [world.bulkSync] },
              run_after_success_only: false,
            },
          },
          changes: ['schedule'],
        },
        {
          change: { schedule: { frequency: 'manual', run_after_success_only: false } },
          changes: ['schedule'],
        },
      ],
    },
    {
      name: 'bulk_sync with the least',
      resource: bulkSync,
      first: {
        name: 'Bulk least',
        active: false,
        mode: 'replicate',
        source: { connection_id: world.shop },
        destination: { connection_id: world.warehouse, configuration: { schema: 'landing' } },
        schedule: { frequency: 'manual' },
        schemas: [{ id: 'public.customers', enabled: true }],
      },
      updates: [{ change: { name: 'Bulk least 2' }, changes: ['name'] }],
    },
    {
      name: 'bulk_sync with everything',
      resource: bulkSync,
      first: bulkSyncOf(world),
      updates: [
        { change: { name: 'Bulk everything 2' }, changes: ['name'] },
        {
          // The provider plans the times of the state for those that are left out.
          change: { schedule: { frequency: 'manual' } },
          changes: ['schedule'],
        },
        {
          change: {
            schemas: [{ ...customersOf(false), filters: [] }],
            disable_record_timestamps: null,
            data_cutoff_timestamp: null,
            concurrency_limit: null,
            normalize_names: 'legacy',
          },
          changes: [
            ...['concurrency_limit', 'data_cutoff_timestamp', 'disable_record_timestamps'],
            ...['normalize_names', 'schemas'],
          ],
        },
      ],
    },
    {
      name: 'a schedule of a bulk sync',
      resource: bulkSyncSchedule,
      first: { sync_id: world.bulkSync, frequency: 'daily', hour: '05', minute: '15' },
      updates: [
        {
          change: { selectiveMode: 'incrementalFields', frequency: 'weekly', dayOfWeek: 'monday' },
          changes: ['dayOfWeek', 'frequency', 'selectiveMode'],
        },
        { change: { frequency: 'manual' }, changes: ['frequency'] },
      ],
    },
    {
      name: 'connection_schema_primary_keys',
      resource: primaryKeys,
      first: { connection_id: world.shop, schema_id: 'public.orders', field_ids: ['id', 'customer_id'] },
      updates: [{ change: { field_ids: ['id'] }, changes: ['field_ids'] }],
    },
  ];
}

const customersOf = (obfuscate: boolean) => ({
  id: 'public.customers',
  enabled: true,
  tracking_field: 'id',
  fields: [
    { id: 'email', enabled: true, obfuscate },
    { id: 'id', enabled: true, obfuscate: false },
    { id: 'name', enabled: false, obfuscate: false },
  ],
  filters: [{ field_id: 'id', function: 'LessThan', value: 15 }],
});

const bulkSyncOf = (world: World) => ({
  name: 'Bulk everything',
  active: true,
  mode: 'replicate',
  source: { connection_id: world.shop, configuration: {} },
  destination: {
    connection_id: world.warehouse,
    configuration: { schema: 'landing', advanced: { table_prefix: 'p_' } },
  },
  automatically_add_new_fields: 'all',
  disable_record_timestamps: true,
  data_cutoff_timestamp: '2020-01-02T03:04:05Z',
  concurrency_limit: 2,
  resync_concurrency_limit: 1,
  normalize_names: 'enabled',
  schedule: { frequency: 'daily', hour: '5', minute: '15' },
  schemas: [customersOf(true), { id: 'public.orders', enabled: true }],
});
