import { expect, test } from 'vitest';
import { eventTypes, sampleEvent } from '../events/index.ts';
import { eventPayloads } from '../schema/event-payloads.ts';
import type { Execution, ExecutionStatus } from './contract.ts';
import { eventPayload, eventTypeOf, type RecordLogLinks } from './payloads.ts';

const none: RecordLogLinks = {
  records: null,
  errors: null,
  warnings: null,
  inserts: null,
  updates: null,
  deletes: null,
};

const base = {
  id: 'execution',
  organizationId: 'organization',
  syncId: 'sync',
  trigger: 'manual',
  options: {},
  errors: [],
  statusMessage: null,
  checkpoint: null,
  createdAt: '',
  startedAt: null,
  completedAt: null,
  updatedAt: '',
};
const model: Execution = {
  ...base,
  kind: 'model',
  status: 'running',
  counts: { total: 9, insert: 4, update: 3 },
  subject: { sync_name: 'Salesforce Sync', target_connection_id: 'target' },
};
const bulk: Execution = {
  ...base,
  kind: 'bulk',
  status: 'running',
  counts: {},
  subject: {
    sync_name: 'Asana to BigQuery sync',
    source_connection_id: 'from',
    destination_connection_id: 'to',
  },
};

/** Members that every payload of a kind has, in the guide's words. */
const modelMembers = [
  'name',
  'sync_name',
  'organization_id',
  'sync_id',
  'execution_id',
  'target_connection_id',
];
const bulkMembers = [
  'name',
  'sync_name',
  'organization_id',
  'sync_id',
  'execution_id',
  'source_connection_id',
  'destination_connection_id',
];

const bulkEnd = ['trigger_source', 'record_count', 'error_count', 'warning_count'];

const announced: [Execution, ExecutionStatus, (typeof eventTypes)[number], string[]][] = [
  [model, 'running', 'sync.running', []],
  [
    model,
    'completed',
    'sync.completed',
    [
      'status',
      'trigger',
      'total_records',
      'inserted_records',
      'updated_records',
      'deleted_records',
      'errored_records',
      'warnings',
      'record_count',
      'inserted_count',
      'updated_count',
      'upserted_count',
      'error_count',
      'warning_count',
    ],
  ],
  [
    { ...model, counts: { error: 2, warnings: 1 } },
    'completed',
    'sync.completed_with_errors',
    ['error', 'number_of_errors', 'number_of_warnings'],
  ],
  [{ ...model, errors: ['it broke'] }, 'failed', 'sync.failed', ['error']],
  [model, 'canceled', 'sync.canceled', ['status']],
  [bulk, 'running', 'bulk_sync.running', []],
  [bulk, 'completed', 'bulk_sync.completed', bulkEnd],
  [bulk, 'errors', 'bulk_sync.completed_with_error', [...bulkEnd, 'error', 'failed_schemas']],
  [{ ...bulk, errors: ['it broke'] }, 'failed', 'bulk_sync.failed', [...bulkEnd, 'error', 'failed_schemas']],
  [bulk, 'canceled', 'bulk_sync.canceled', []],
];

test('each of the ten types, with exactly its members', () => {
  expect(announced.map(([, , type]) => type).sort()).toEqual([...eventTypes].sort());
  for (const [execution, status, type, members] of announced) {
    expect(eventTypeOf(execution, status)).toBe(type);
    const payload = eventPayload(type, execution, none);
    const common = execution.kind === 'bulk' ? bulkMembers : modelMembers;
    expect(Object.keys(payload).sort(), type).toEqual([...common, ...members].sort());
    expect(payload.name).toBe(payload.sync_name);
  }
});

test('what is sent is what the schemas say, which the catalogue and the types are made from', () => {
  const subject = (kind: 'model' | 'bulk') => (kind === 'model' ? model.subject : bulk.subject);
  for (const [execution, , type] of announced) {
    const payload = eventPayload(type, { ...execution, subject: subject(execution.kind) }, none);
    expect(Object.keys(payload).sort(), type).toEqual(Object.keys(eventPayloads[type].properties).sort());
    expect(Object.keys(sampleEvent(type)).sort(), type).toEqual(Object.keys(payload).sort());
  }
});

test('in the order of the guide’s examples', () => {
  const order = (payload: object, members: string[]) =>
    Object.keys(payload).filter((key) => members.includes(key));
  const completed = [
    'name',
    'organization_id',
    'sync_id',
    'execution_id',
    'status',
    'total_records',
    'inserted_records',
    'updated_records',
    'trigger',
    'target_connection_id',
  ];
  expect(order(eventPayload('sync.completed', model, none), completed)).toEqual(completed);
  const running = ['name', 'organization_id', 'execution_id', 'sync_id', 'target_connection_id'];
  expect(order(eventPayload('sync.running', model, none), running)).toEqual(running);
  const bulkRunning = [
    'name',
    'organization_id',
    'sync_id',
    'execution_id',
    'source_connection_id',
    'destination_connection_id',
  ];
  expect(order(eventPayload('bulk_sync.running', bulk, none), bulkRunning)).toEqual(bulkRunning);
});

test('numbers, links and reasons', () => {
  const links = { ...none, inserts: ['https://x/log1.json'] };
  expect(eventPayload('sync.completed', model, links)).toMatchObject({
    inserted_records: ['https://x/log1.json'],
    updated_records: null,
    record_count: 9,
    inserted_count: 4,
    updated_count: 3,
    error_count: 0,
  });
  const refused = { ...model, counts: { error: 2, warnings: 1 } };
  expect(eventPayload('sync.completed_with_errors', refused, none)).toMatchObject({
    error: '2 records were refused',
    number_of_errors: 2,
    number_of_warnings: 1,
  });
  const partly = { ...bulk, errors: ['orders: gone', 'items: gone'], counts: { records: 7, errors: 2 } };
  const failures = [
    { schema: 'orders', error: 'gone' },
    { schema: 'items', error: 'gone' },
  ];
  for (const type of ['bulk_sync.completed_with_error', 'bulk_sync.failed'] as const) {
    expect(eventPayload(type, partly, none, failures)).toMatchObject({
      error: 'orders: gone\nitems: gone',
      failed_schemas: failures,
      record_count: 7,
      error_count: 2,
      warning_count: 0,
    });
  }
});

test('what is not announced', () => {
  for (const status of ['created', 'queued', 'canceling'] as const)
    expect(eventTypeOf(model, status)).toBeUndefined();
});
