import { given, kept, type Values } from './plan.ts';
import { type Answered, omitEmpty, only, type Resource, there } from './resource.ts';

const pathOfKeys = ({ connection_id, schema_id }: Values) =>
  `/api/connections/${connection_id}/schemas/${schema_id}/primary_keys`;

/** `polytomic_connection_schema_primary_keys`: the wire has no resource for it, so its id is made of three. */
export const primaryKeys: Resource = {
  shape: { id: kept, organization: kept, connection_id: given, schema_id: given, field_ids: given },
  unreadable: ['field_ids'],
  async create(send, { configuration }) {
    await send('PUT', pathOfKeys(configuration), fieldsOf(configuration));
    const { data } = there(await send('GET', `/api/connections/${configuration.connection_id}`));
    const organization = data.organization_id;
    const { connection_id, schema_id } = configuration;
    return { ...configuration, organization, id: `${organization}/${connection_id}/${schema_id}` };
  },
  async read(send, state) {
    const { connection_id, schema_id } = state;
    const answer = await send('GET', `/api/connections/${connection_id}/schemas/${schema_id}`);
    if (answer === undefined) return undefined;
    const fields = (answer.data.fields as { id: string }[]).map(({ id }) => id);
    const asked = (state.field_ids ?? []) as string[];
    return { ...state, field_ids: asked.filter((id) => fields.includes(id)) };
  },
  async update(send, { plan }) {
    await send('PUT', pathOfKeys(plan), fieldsOf(plan));
    return plan;
  },
  delete: (send, state) => send('DELETE', pathOfKeys(state)),
  imported: ({ id, organization, connection_id, schema_id }) => ({
    id,
    organization,
    connection_id,
    schema_id,
  }),
};

const fieldsOf = (values: Values) => ({
  fields: (values.field_ids as string[]).map((field_id) => ({ field_id, is_primary_key: true })),
});

/** A schedule of a bulk sync beside the default one. The provider has no resource for it: as the vendor's Go client. */
export const bulkSyncSchedule: Resource = {
  shape: {
    id: kept,
    sync_id: given,
    frequency: given,
    minute: given,
    hour: given,
    dayOfWeek: given,
    dayOfMonth: given,
    month: given,
    selectiveMode: { is: 'computed' },
  },
  async create(send, { configuration }) {
    const answer = await send('POST', pathOfSchedules(configuration), scheduleOf(configuration));
    return stateOf(there(answer), configuration);
  },
  async read(send, state) {
    const answer = await send('GET', `${pathOfSchedules(state)}/${state.id}`);
    return answer && stateOf(answer, state);
  },
  async update(send, { configuration, state }) {
    const path = `${pathOfSchedules(state)}/${state.id}`;
    return stateOf(there(await send('PUT', path, scheduleOf(configuration))), state);
  },
  delete: (send, state) => send('DELETE', `${pathOfSchedules(state)}/${state.id}`),
  imported: ({ id, sync_id }) => ({ id, sync_id }),
};

const pathOfSchedules = ({ sync_id }: Values) => `/api/bulk/syncs/${sync_id}/schedules`;
const parts = ['frequency', 'minute', 'hour', 'dayOfWeek', 'dayOfMonth', 'month', 'selectiveMode'];

const scheduleOf = (values: Values) => ({
  schedule: omitEmpty(Object.fromEntries(parts.map((part) => [part, values[part]]))),
});

function stateOf({ data }: Answered, { sync_id }: Values): Values {
  return { id: data.id, sync_id, ...only(parts)(data) };
}
