import { type TObject, type TSchema, Type } from 'typebox';

/** One member of a payload: its shape, what it says, and a value it could have. */
function member(type: TSchema, description: string, example: unknown): TSchema {
  return { ...type, description, examples: [example] } as TSchema;
}

const id = (description: string, example: string) =>
  member(Type.String({ format: 'uuid' }), description, example);
const count = (description: string, example: number) => member(Type.Integer(), description, example);
const text = (description: string, example: string) => member(Type.String(), description, example);
const links = (of: string, folder: string) =>
  member(
    Type.Union([Type.Array(Type.String({ format: 'uri' })), Type.Null()]),
    `Links to the record logs of ${of}; null when there are none or recording is off.`,
    [
      `https://tidemark.example/api/syncs/${ids.sync}/executions/${ids.execution}/${folder}/log1764000000-1.json`,
    ],
  );

const ids = {
  organization: '5a2f9e1c-6d0b-4c58-9d0e-1f3f5b0a7c11',
  sync: '0ff1ce00-2b1d-4a3e-8f5c-77a1c0d4e2b2',
  execution: 'c0ffee00-3c2e-4b4f-9a6d-88b2d1e5f3c3',
  source: 'ab1e0000-4d3f-4c50-8b7e-99c3e2f604d4',
  destination: 'decade00-5e40-4d61-9c8f-aad4f30715e5',
};

const common = {
  name: text('Name of the sync when the execution started.', 'Orders to warehouse'),
  sync_name: text('The same as `name`, as the SDKs spell it.', 'Orders to warehouse'),
  organization_id: id('The organization.', ids.organization),
  sync_id: id('The model sync or bulk sync.', ids.sync),
  execution_id: id('This run of it.', ids.execution),
};
const model = { target_connection_id: id('The connection that is written to.', ids.destination) };
const bulk = {
  source_connection_id: id('The connection that is read.', ids.source),
  destination_connection_id: id('The connection that is written to.', ids.destination),
};
const error = text('Why, in words; several reasons are separated by newlines.', 'the connection was refused');
const bulkCounts = {
  record_count: count('Records that were read.', 1000),
  error_count: count('Schemas that failed.', 1),
  warning_count: count('Warnings.', 0),
};
const failedSchemas = member(
  Type.Array(Type.Object({ schema: Type.String(), error: Type.String() })),
  'The schemas (tables) that failed, and why each did. Empty when it was not a schema that failed.',
  [{ schema: 'public.orders', error: 'the connection was refused' }],
);
const triggerSource = text('What started the execution: `manual` or `scheduled`.', 'manual');

/**
 * The payload of every event type: all members are always there. The names and types are those of Polytomic's
 * events.
 */
export const eventPayloads = {
  'sync.running': Type.Object({ ...common, ...model }),
  'sync.completed': Type.Object({
    ...common,
    status: text('Always `completed`.', 'completed'),
    total_records: links('every record that was offered', 'records'),
    inserted_records: links('inserted records', 'inserts'),
    updated_records: links('updated records', 'updates'),
    deleted_records: links('deleted records', 'deletes'),
    errored_records: links('refused records', 'errors'),
    warnings: links('values that were changed on the way', 'warnings'),
    record_count: count('Records offered.', 1000),
    inserted_count: count('Records inserted.', 40),
    updated_count: count('Records updated.', 60),
    upserted_count: count('Records inserted or updated where the destination does not say which.', 0),
    error_count: count('Records refused; 0 in this event.', 0),
    warning_count: count('Warnings.', 0),
    trigger: text('What started the execution: `manual` or `scheduled`.', 'manual'),
    ...model,
  }),
  'sync.completed_with_errors': Type.Object({
    ...common,
    error,
    number_of_errors: count('Records refused.', 2),
    number_of_warnings: count('Warnings.', 0),
    ...model,
  }),
  'sync.failed': Type.Object({ ...common, error, ...model }),
  'sync.canceled': Type.Object({ ...common, status: text('Always `canceled`.', 'canceled'), ...model }),
  'bulk_sync.running': Type.Object({ ...common, ...bulk }),
  'bulk_sync.completed': Type.Object({
    ...common,
    ...bulkCounts,
    trigger_source: triggerSource,
    ...bulk,
  }),
  'bulk_sync.completed_with_error': Type.Object({
    ...common,
    error,
    failed_schemas: failedSchemas,
    ...bulkCounts,
    trigger_source: triggerSource,
    ...bulk,
  }),
  'bulk_sync.failed': Type.Object({
    ...common,
    error,
    failed_schemas: failedSchemas,
    ...bulkCounts,
    trigger_source: triggerSource,
    ...bulk,
  }),
  'bulk_sync.canceled': Type.Object({ ...common, ...bulk }),
} satisfies Record<string, TObject>;
