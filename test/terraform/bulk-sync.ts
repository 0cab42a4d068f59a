import { computed, given, isList, kept, nested, unknown, type Values, withDefault } from './plan.ts';
import {
  type Answered,
  list,
  omitEmpty,
  only,
  orNull,
  orZero,
  type Resource,
  type Send,
  there,
} from './resource.ts';

const field = nested(
  { id: computed, enabled: computed, obfuscate: computed, output_name: computed, user_output_name: computed },
  'computed',
);
const schema = {
  id: computed,
  enabled: computed,
  data_cutoff_timestamp: given,
  disable_data_cutoff: computed,
  partition_key: computed,
  tracking_field: computed,
  output_name: computed,
  user_output_name: computed,
  fields: field,
  filters: nested({ field_id: given, function: given, value: given }, 'computed'),
};

/** `polytomic_bulk_sync`. */
export const bulkSync: Resource = {
  shape: {
    id: kept,
    organization: kept,
    name: given,
    active: given,
    mode: given,
    source: nested({ connection_id: given, configuration: given }),
    destination: nested({ connection_id: given, configuration: given }),
    automatically_add_new_fields: withDefault('none'),
    automatically_add_new_objects: withDefault('none'),
    disable_record_timestamps: computed,
    schedule: nested({
      frequency: given,
      minute: kept,
      hour: kept,
      day_of_week: kept,
      day_of_month: kept,
      month: kept,
    }),
    data_cutoff_timestamp: given,
    schemas: nested(schema, 'kept'),
    policies: computed,
    concurrency_limit: computed,
    resync_concurrency_limit: computed,
    normalize_names: computed,
  },
  // The list of a sync's schemas has neither fields nor filters, and no configuration that says nothing.
  unreadable: ['schemas', 'source'],
  async create(send, { plan }) {
    const answer = there(await send('POST', '/api/bulk/syncs', request(plan)));
    return withSchemas(send, answer, plan);
  },
  async read(send, state) {
    const answer = await send('GET', `/api/bulk/syncs/${state.id}`);
    return answer && withSchemas(send, answer, state);
  },
  async update(send, { plan, state }) {
    const answer = there(await send('PUT', `/api/bulk/syncs/${state.id}`, request(plan)));
    return withSchemas(send, answer, plan);
  },
  delete: (send, state) => send('DELETE', `/api/bulk/syncs/${state.id}`),
};

const byId = (values: readonly Values[]) =>
  values.toSorted((one, other) => (String(one.id) < String(other.id) ? -1 : 1));

/** What is unknown in a plan is false, 0 or an empty text in the request. */
function request(plan: Values): object {
  const [source, destination] = [plan.source as Values, plan.destination as Values];
  const times = Object.entries(plan.schedule as Values).map(([name, value]) => [name, orZero(value, null)]);
  return omitEmpty({
    name: plan.name,
    organization_id: orZero(plan.organization, null),
    active: plan.active,
    mode: plan.mode,
    source_connection_id: source.connection_id,
    source_configuration: source.configuration,
    destination_connection_id: destination.connection_id,
    destination_configuration: destination.configuration,
    automatically_add_new_fields: plan.automatically_add_new_fields,
    automatically_add_new_objects: plan.automatically_add_new_objects,
    disable_record_timestamps: orZero(plan.disable_record_timestamps, false),
    concurrency_limit: orZero(plan.concurrency_limit, 0),
    resync_concurrency_limit: orZero(plan.resync_concurrency_limit, 0),
    normalize_names: orZero(plan.normalize_names, null),
    data_cutoff_timestamp: plan.data_cutoff_timestamp,
    policies: orZero(plan.policies, null),
    schedule: omitEmpty(Object.fromEntries(times)),
    schemas: byId(list(plan.schemas)).map((one) =>
      omitEmpty({
        id: one.id,
        enabled: orZero(one.enabled, false),
        partition_key: orZero(one.partition_key, ''),
        tracking_field: orZero(one.tracking_field, ''),
        disable_data_cutoff: orZero(one.disable_data_cutoff, false),
        data_cutoff_timestamp: one.data_cutoff_timestamp,
        fields: byId(list(one.fields)).map(({ id, enabled, obfuscate }) => ({
          id,
          enabled: orZero(enabled, false),
          obfuscate: orZero(obfuscate, false),
        })),
        filters: list(one.filters).map(omitEmpty),
      }),
    ),
  });
}

async function withSchemas(send: Send, { data }: Answered, before: Values): Promise<Values> {
  const answer = there(await send('GET', `/api/bulk/syncs/${data.id}/schemas`));
  const answered = list(answer.data);
  const configured = (name: 'source' | 'destination') => ({
    connection_id: data[`${name}_connection_id`],
    // The configuration stays as it was planned; an import takes the answer's.
    configuration:
      before[name] == null
        ? orNull(data[`${name}_configuration`])
        : orNull((before[name] as Values).configuration),
  });
  return {
    id: data.id,
    organization: data.organization_id,
    source: configured('source'),
    destination: configured('destination'),
    ...only([
      ...['name', 'active', 'mode', 'automatically_add_new_fields', 'automatically_add_new_objects'],
      ...['disable_record_timestamps', 'data_cutoff_timestamp', 'policies', 'concurrency_limit'],
      ...['resync_concurrency_limit', 'normalize_names'],
    ])(data),
    schedule: only(['frequency', 'minute', 'hour', 'day_of_week', 'day_of_month', 'month'])(data.schedule),
    schemas:
      before.schemas == null
        ? answered.map(only(Object.keys(schema)))
        : list(before.schemas).map((one) =>
            merged(
              one,
              answered.find(({ id }) => id === one.id),
            ),
          ),
  };
}

/** What was planned stays; what was left to the server is filled in. */
function merged(plan: Values, answered: Values | undefined): Values {
  const texts = ['output_name', 'user_output_name', 'partition_key', 'tracking_field'];
  const flags = ['enabled', 'disable_data_cutoff'];
  const fill = (name: string) =>
    plan[name] === unknown || (plan[name] == null && texts.includes(name))
      ? orNull(answered?.[name])
      : plan[name];
  const fields =
    plan.fields === unknown
      ? null
      : isList(plan.fields)
        ? list(plan.fields).map((one) => ({ ...one, output_name: null, user_output_name: null }))
        : orNull(plan.fields);
  return {
    ...plan,
    ...Object.fromEntries([...texts, ...flags].map((name) => [name, fill(name)])),
    fields,
    filters: plan.filters === unknown ? null : plan.filters,
  };
}
