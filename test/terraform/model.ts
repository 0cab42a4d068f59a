import { computed, given, isList, kept, nested, type Value, type Values, withDefault } from './plan.ts';
import { type Answered, omitEmpty, orZero, type Resource, there } from './resource.ts';

/** `polytomic_model`. */
export const model: Resource = {
  shape: {
    id: kept,
    name: given,
    organization: computed,
    connection_id: given,
    configuration: kept,
    fields: computed,
    additional_fields: nested({ name: given, type: given, label: given }, 'computed'),
    relations: nested({ from: given, to: nested({ model_id: given, field: given }) }, 'computed'),
    identifier: withDefault(''),
    tracking_columns: kept,
    type: kept,
    version: kept,
  },
  async create(send, { configuration }) {
    return stateOf(there(await send('POST', '/api/models', request(configuration))));
  },
  async read(send, state) {
    const answer = await send('GET', `/api/models/${state.id}`);
    return answer && stateOf(answer);
  },
  async update(send, { plan, state }) {
    const body = request(plan);
    // The vendor's client writes the members of the body into the query, too, as Go prints them.
    const query = new URLSearchParams(
      Object.entries(body).flatMap(([name, value]) =>
        (isList(value) ? value : [value]).map((one): [string, string] => [
          name,
          typeof one === 'string'
            ? one
            : `map[${Object.entries(one ?? {})
                .flat()
                .join(':')}]`,
        ]),
      ),
    );
    return stateOf(there(await send('PUT', `/api/models/${state.id}?${query}`, body)));
  },
  delete: (send, state) => send('DELETE', `/api/models/${state.id}`),
};

const set = (value: Value) => (value === '' ? null : orZero(value, null));

function request(values: Values) {
  return omitEmpty({
    name: values.name,
    connection_id: values.connection_id,
    organization_id: set(values.organization),
    configuration: values.configuration,
    fields: orZero(values.fields, null),
    additional_fields: orZero(values.additional_fields, null),
    relations: orZero(values.relations, null),
    tracking_columns: orZero(values.tracking_columns, null),
    identifier: set(values.identifier),
  });
}

function stateOf({ data }: Answered): Values {
  const fields = data.fields as { name: string; type: string; label: string; user_added: boolean }[];
  const texts = Object.entries(data.configuration).filter(([, value]) => typeof value === 'string' && value);
  return {
    id: data.id,
    name: data.name,
    organization: data.organization_id,
    connection_id: data.connection_id,
    configuration: Object.fromEntries(texts) as Values,
    fields: fields.filter(({ user_added }) => !user_added).map(({ name }) => name),
    additional_fields: fields
      .filter(({ user_added }) => user_added)
      .map(({ name, type, label }) => ({ name, type, label })),
    relations: data.relations ?? [],
    identifier: data.identifier ?? '',
    tracking_columns: data.tracking_columns ?? [],
    type: data.type,
    version: data.version,
  };
}
