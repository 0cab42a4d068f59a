import {
  computed,
  given,
  isList,
  kept,
  nested,
  unknown,
  type Value,
  type Values,
  withDefault,
} from './plan.ts';
import { type Answered, list, omitEmpty, only, orNull, orZero, type Resource, there } from './resource.ts';

const source = nested({ model_id: given, field: given });

/** `polytomic_sync`. */
export const modelSync: Resource = {
  shape: {
    id: kept,
    organization: kept,
    name: given,
    active: given,
    mode: given,
    target: nested({
      connection_id: given,
      object: computed,
      configuration: kept,
      new_name: given,
      create: given,
      filter_logic: given,
    }),
    fields: nested({
      source,
      target: given,
      new: given,
      override_value: given,
      sync_mode: given,
      encryption_enabled: given,
    }),
    override_fields: nested({ target: given, new: given, override_value: given, sync_mode: given }),
    filters: nested({ source, function: given, value: given, label: computed }),
    target_filters: nested({ field: given, function: given, value: given, label: computed }),
    filter_logic: given,
    overrides: nested({ source, function: given, value: given, override: given }),
    schedule: nested({
      frequency: given,
      minute: given,
      hour: given,
      day_of_week: given,
      day_of_month: given,
      month: given,
      run_after: nested({ sync_ids: given, bulk_sync_ids: given }),
      run_after_success_only: computed,
    }),
    identity: nested({ source, target: given, function: given, remote_field_type_id: kept, new_field: kept }),
    sync_all_records: withDefault(false),
    encryption_passphrase: given,
    only_enrich_updates: computed,
    skip_initial_backfill: computed,
  },
  unreadable: ['encryption_passphrase', 'target'],
  async create(send, { configuration }) {
    return stateOf(there(await send('POST', '/api/syncs', request(configuration))), configuration);
  },
  async read(send, state) {
    const answer = await send('GET', `/api/syncs/${state.id}`);
    return answer && stateOf(answer, state);
  },
  async update(send, { plan, state }) {
    const target = plan.target as Values;
    const body = request({
      ...plan,
      target: { ...target, object: orZero(target.object, '') },
      only_enrich_updates: orZero(plan.only_enrich_updates, false),
      skip_initial_backfill: orZero(plan.skip_initial_backfill, false),
    });
    return stateOf(there(await send('PUT', `/api/syncs/${state.id}`, body)), plan);
  },
  delete: (send, state) => send('DELETE', `/api/syncs/${state.id}`),
};

const known = (values: Value) =>
  omitEmpty(
    Object.fromEntries(Object.entries((values ?? {}) as Values).filter(([, value]) => value !== unknown)),
  ) as Values;

function request(values: Values): object {
  const schedule = values.schedule as Values;
  const filters = list(values.filters).map((filter) => ({
    field: filter.source,
    field_type: 'Model',
    ...operand(filter),
  }));
  const targetFilters = list(values.target_filters).map((filter) => ({
    field_id: filter.field,
    field_type: 'Target',
    ...operand(filter),
  }));
  const overrides = list(values.overrides).map(({ source: field, ...rest }) => omitEmpty({ field, ...rest }));
  return omitEmpty({
    name: values.name,
    organization_id: orZero(values.organization, null),
    active: values.active,
    mode: values.mode,
    target: known(values.target),
    fields: list(values.fields).map(omitEmpty),
    override_fields: list(values.override_fields).map(omitEmpty),
    filters: [...filters, ...targetFilters],
    filter_logic: values.filter_logic,
    overrides,
    schedule: known({ ...schedule, run_after: known(schedule.run_after) }),
    identity: values.identity == null ? null : known(values.identity),
    sync_all_records: values.sync_all_records,
    encryption_passphrase: values.encryption_passphrase,
    only_enrich_updates: values.only_enrich_updates,
    skip_initial_backfill: values.skip_initial_backfill,
  });
}

function operand(filter: Values) {
  const { function: name, value, label } = filter;
  return {
    function: name,
    ...(value == null ? {} : { value }),
    label: orZero(label, '') ?? '',
  };
}

const noModel = '00000000-0000-0000-0000-000000000000';

function stateOf({ data }: Answered, before: Values): Values {
  const fields = list(data.fields);
  const isOverride = ({ override_value: constant, source: from }: Values) =>
    orNull(constant) !== null && ((from as Values | undefined)?.model_id ?? noModel) === noModel;
  const filters = list(data.filters);
  const target = data.target as Values;
  const create = (before.target as Values | undefined)?.create;
  const overrides = fields.filter(isOverride).map(only(['target', 'new', 'override_value', 'sync_mode']));
  return {
    id: data.id,
    organization: data.organization_id,
    name: data.name,
    active: data.active,
    mode: data.mode,
    // `create` is for writing only to the provider.
    target: {
      ...only(['connection_id', 'object', 'configuration', 'new_name', 'filter_logic'])(target),
      create: create ?? orNull(target.create),
    },
    fields: fields
      .filter((field) => !isOverride(field))
      .map(only(['source', 'target', 'new', 'override_value', 'sync_mode', 'encryption_enabled'])),
    override_fields: overrides.length === 0 ? null : overrides,
    filter_logic: orNull(data.filter_logic),
    filters: orNone(
      filters
        .filter(({ field_type }) => field_type !== 'Target')
        .map(({ field, ...filter }) => ({ source: field, ...only(['function', 'value', 'label'])(filter) })),
    ),
    target_filters: orNone(
      filters
        .filter(({ field_type }) => field_type === 'Target')
        .map(({ field_id, ...filter }) => ({
          field: field_id,
          ...only(['function', 'value', 'label'])(filter),
        })),
    ),
    overrides: orNone(
      list(data.overrides).map(({ field, ...rest }) => ({
        source: field,
        ...only(['function', 'value', 'override'])(rest),
      })),
    ),
    schedule: only([
      ...['frequency', 'minute', 'hour', 'day_of_week', 'day_of_month', 'month'],
      ...['run_after', 'run_after_success_only'],
    ])(data.schedule),
    identity:
      data.identity === undefined
        ? null
        : only(['source', 'target', 'function', 'new_field', 'remote_field_type_id'])(data.identity),
    sync_all_records: data.sync_all_records,
    only_enrich_updates: data.only_enrich_updates,
    skip_initial_backfill: data.skip_initial_backfill,
    encryption_passphrase: orNull(before.encryption_passphrase),
  };
}

/** Go's nil slice is null in a state. */
const orNone = (values: readonly Values[]): Value => (isList(values) && values.length > 0 ? values : null);
