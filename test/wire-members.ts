/**
 * What clients of every generation can say: the members of queries and bodies, by operation. Written down from the
 * published clients, so that a member which no schema declares is noticed. `[]` is an element of a list.
 */
export interface WireOperation {
  operation: string;
  /** The generation that has it first; the others are older than 25.9.10. */
  since?: '25.9.10';
  query?: readonly string[];
  body?: readonly string[];
}

const under = (place: string, members: readonly string[]) => members.map((member) => `${place}.${member}`);

const source = ['model_id', 'field'];
const time = ['frequency', 'minute', 'hour', 'day_of_week', 'day_of_month', 'month'];
const schedule = [
  ...time,
  ...['connection_id', 'job_id', 'run_after.sync_ids', 'run_after.bulk_sync_ids', 'run_after_success_only'],
];
const syncField = [
  ...under('source', source),
  ...['target', 'sync_mode', 'new', 'encryption_enabled', 'override_value'],
];
const identity = [...under('source', source), 'target', 'function', 'new_field', 'remote_field_type_id'];
const filter = [...under('field', source), 'field_id', 'field_type', 'function', 'value', 'label'];
const override = [...under('field', source), 'field_id', 'function', 'value', 'override'];
const target = [
  'connection_id',
  'object',
  'configuration',
  'create',
  'new_name',
  'filter_logic',
  'search_values',
];
const modelSync = [
  ...['name', 'mode', 'active', 'filter_logic', 'sync_all_records', 'skip_initial_backfill'],
  ...['only_enrich_updates', 'encryption_passphrase', 'policies', 'organization_id'],
  ...under('fields[]', syncField),
  ...under('override_fields[]', syncField),
  ...under('identity', identity),
  ...under('filters[]', filter),
  ...under('overrides[]', override),
  ...under('target', target),
  ...under('schedule', schedule),
];
const newerModelSync = [
  ...under('identities.mappings[]', identity),
  'identities.strategy',
  ...under('model_filters.conditions[]', [...under('source', source), 'function', 'value', 'label']),
  'model_filters.logic',
  ...under('target_filters.conditions[]', ['field', 'function', 'value', 'label']),
  ...under('target_filters.conditions[].value_source', source),
  'target_filters.logic',
  ...under('filters[].value_field', source),
  'problems',
];

const bulkSchema = [
  ...['enabled', 'tracking_field', 'partition_key', 'user_output_name'],
  ...['data_cutoff_timestamp', 'disable_data_cutoff'],
  ...under('filters[]', ['field_id', 'function', 'value']),
];
const schemaChoice = ['id', ...bulkSchema, ...under('fields[]', ['id', 'enabled', 'obfuscate'])];
const schemaUpdate = [
  ...bulkSchema,
  ...under('fields[]', ['id', 'enabled', 'obfuscated', 'user_output_name']),
];
const additionalSchedule = ['id', ...time, 'selective_mode', 'resync_mode', 'schemas'];
const bulkSync = [
  ...['name', 'mode', 'active', 'source_connection_id', 'source_configuration', 'destination_connection_id'],
  ...['automatically_add_new_objects', 'automatically_add_new_fields', 'normalize_names', 'discover'],
  ...['concurrency_limit', 'resync_concurrency_limit', 'data_cutoff_timestamp', 'disable_record_timestamps'],
  ...['policies', 'organization_id'],
  ...under('destination_configuration', ['schema', 'mirror_schemas', 'format', 'subfolder']),
  ...under('destination_configuration.advanced', ['table_prefix', 'truncate_existing', 'hard_deletes']),
  ...under('schemas[]', schemaChoice),
  ...under('default_schedule', ['id', ...time]),
  ...under('additional_schedules[]', additionalSchedule),
  ...under('schedule', [...time, 'multi']),
];
const newerBulkSync = under('schemas[]', [
  'history_enabled',
  'user_output_name',
  'fields[].user_output_name',
]);
const singleSchedule = under('schedule', [
  ...['frequency', 'minute', 'hour', 'dayOfWeek', 'dayOfMonth', 'month', 'selectiveMode'],
]);

const enrichedField = [
  ...['id', 'name', 'label', 'type', 'remote_type', 'example', 'description', 'unique', 'user_added'],
  ...['created_at', 'created_by', 'updated_at'],
];
const model = [
  ...['name', 'connection_id', 'configuration', 'fields', 'identifier', 'labels', 'tracking_columns'],
  ...['policies', 'organization_id', 'refresh'],
  ...under('additional_fields[]', ['name', 'label', 'type', 'example']),
  ...under('relations[]', ['from', 'to.model_id', 'to.field']),
  ...under('enricher', ['connection_id', 'configuration', 'enricher_id', 'mappings']),
  ...under('enricher.fields[]', enrichedField),
];
const connection = [
  'name',
  'type',
  'configuration',
  'healthcheck_interval',
  'policies',
  'validate',
  'organization_id',
];
const organization = ['name', 'sso_domain', 'sso_org_id', 'issuer', 'client_id', 'client_secret'];
const webhook = ['endpoint', 'secret', 'organization_id'];
const page = ['page_token', 'limit'];
const console = ['limit', 'after'];

export const wire: readonly WireOperation[] = [
  { operation: 'modelSync.getSource', query: ['params'] },
  { operation: 'modelSync.getSourceFields', query: ['params'] },
  { operation: 'modelSync.list', query: ['active', 'mode', 'target_connection_id', ...page] },
  { operation: 'modelSync.create', body: modelSync },
  { operation: 'modelSync.create', since: '25.9.10', body: newerModelSync },
  { operation: 'modelSync.update', body: modelSync },
  { operation: 'modelSync.update', since: '25.9.10', body: newerModelSync },
  { operation: 'modelSync.activate', body: ['active'] },
  { operation: 'modelSync.start', body: ['identities', 'resync', 'test'] },
  {
    operation: 'modelSync.start',
    since: '25.9.10',
    body: under('source_identities[][]', [...under('source', source), 'value']),
  },
  { operation: 'modelSync.executions.list', query: ['page_token', 'only_completed', 'ascending'] },
  { operation: 'modelSync.executions.update', body: ['status'] },
  { operation: 'modelSync.executions.getConsoleLogs', query: console },
  { operation: 'modelSync.targets.getTargetFields', query: ['target', 'refresh'] },
  { operation: 'modelSync.targets.getTargetFields', since: '25.9.10', query: ['properties'] },
  { operation: 'modelSync.targets.list', since: '25.9.10', query: ['include_target_creation_values'] },
  { operation: 'models.getEnrichmentSource', query: ['params'] },
  { operation: 'models.post', body: ['configuration'] },
  { operation: 'models.preview', query: ['async'], body: model },
  { operation: 'models.create', query: ['async'], body: model },
  { operation: 'models.get', query: ['async'] },
  { operation: 'models.update', query: ['async'], body: model },
  { operation: 'models.delete', query: ['async'] },
  { operation: 'models.sample', query: ['async'] },
  { operation: 'bulkSync.list', query: ['active', ...page] },
  { operation: 'bulkSync.create', body: bulkSync },
  { operation: 'bulkSync.create', since: '25.9.10', body: newerBulkSync },
  { operation: 'bulkSync.get', query: ['refresh_schemas'] },
  { operation: 'bulkSync.update', body: bulkSync },
  { operation: 'bulkSync.update', since: '25.9.10', body: newerBulkSync },
  { operation: 'bulkSync.delete', query: ['refresh_schemas'] },
  { operation: 'bulkSync.activate', body: ['active'] },
  { operation: 'bulkSync.start', body: ['fetch_mode', 'resync_mode', 'resync', 'schemas', 'test'] },
  { operation: 'bulkSync.getSource', query: ['include_fields'] },
  { operation: 'bulkSync.executions.listStatus', query: ['all', 'active', 'sync_id'] },
  { operation: 'bulkSync.executions.list', query: [...page, 'only_terminal', 'ascending'] },
  { operation: 'bulkSync.executions.getConsoleLogs', query: console },
  { operation: 'bulkSync.executions.getSchemaConsoleLogs', query: console },
  { operation: 'bulkSync.executions.exportLogs', query: ['notify'] },
  { operation: 'bulkSync.schedules.create', body: singleSchedule },
  { operation: 'bulkSync.schedules.update', body: singleSchedule },
  { operation: 'bulkSync.schemas.list', query: ['filters'] },
  {
    operation: 'bulkSync.schemas.patch',
    body: under('schemas[]', ['id', 'output_name', 'fields[].output_name', ...schemaUpdate]),
  },
  {
    operation: 'bulkSync.schemas.patch',
    since: '25.9.10',
    body: under('schemas[]', ['history_enabled', 'destination_history_output_name']),
  },
  { operation: 'bulkSync.schemas.update', body: schemaUpdate },
  { operation: 'bulkSync.schemas.update', since: '25.9.10', body: ['history_enabled'] },
  { operation: 'connections.create', body: [...connection, 'redirect_url'] },
  { operation: 'connections.update', body: [...connection, 'reconnect'] },
  { operation: 'connections.delete', query: ['force'] },
  { operation: 'connections.testConnection', body: ['type', 'configuration', 'connection_id'] },
  { operation: 'schemas.setPrimaryKeys', body: under('fields[]', ['field_id', 'is_primary_key']) },
  {
    operation: 'events.list',
    query: ['organization_id', 'type', 'starting_after', 'ending_before', ...page],
  },
  { operation: 'webhooks.create', body: webhook },
  { operation: 'webhooks.update', body: webhook },
  {
    operation: 'webhooks.listDeliveries',
    since: '25.9.10',
    query: ['success', 'event_id', 'start', 'end', 'page_token'],
  },
  { operation: 'organization.create', body: organization },
  { operation: 'organization.update', body: organization },
  { operation: 'users.createCurrentOrgUser', body: ['email', 'role', 'role_ids'] },
  { operation: 'users.updateCurrentOrgUser', body: ['role', 'role_ids'] },
  { operation: 'users.create', body: ['email', 'role', 'role_ids'] },
  { operation: 'users.update', body: ['email', 'role', 'role_ids'] },
  { operation: 'users.createApiKey', query: ['force'] },
];
