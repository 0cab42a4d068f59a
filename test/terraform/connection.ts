import {
  type Attribute,
  given,
  isList,
  kept,
  nested,
  type Shape,
  unknown,
  type Value,
  type Values,
} from './plan.ts';
import { type Answered, orZero, type Resource, there } from './resource.ts';

const text: Attribute = { is: 'computed' };
const flag: Attribute = { is: 'computed', zero: false };
const number: Attribute = { is: 'computed', zero: 0 };
const secret: Attribute = { is: 'kept', sensitive: true };
const namesAndValues: Attribute = { ...nested({ name: text, value: text }, 'computed'), zero: [] };
const within = (shape: Shape): Attribute => ({ ...nested(shape, 'computed'), zero: {} });

const basic = within({ username: text, password: text });
const header = within({ name: text, value: text });
const oauth = within({
  client_id: text,
  client_secret: text,
  token_endpoint: text,
  auth_style: number,
  extra_form_data: namesAndValues,
  scopes: { is: 'computed', zero: [] },
});

/** Configurations as the provider declares them. The secrets at their top are sensitive, those inside are not. */
const configurations: Record<string, Shape> = {
  postgresql: {
    hostname: given,
    port: given,
    database: given,
    username: given,
    password: secret,
    ssl: flag,
    ssh: flag,
    ssh_host: text,
    ssh_port: number,
    ssh_private_key: secret,
    client_certs: flag,
    client_certificate: secret,
    change_detection: flag,
    publication: text,
  },
  mysql: {
    hostname: given,
    port: given,
    account: given,
    passwd: { is: 'given', sensitive: true },
    dbname: text,
    ssl: flag,
    ssh: flag,
    change_detection: flag,
  },
  s3: {
    auth_mode: given,
    s3_bucket_name: given,
    s3_bucket_region: given,
    aws_access_key_id: text,
    aws_secret_access_key: secret,
    csv_has_headers: flag,
    directory_glob_pattern: text,
    is_single_table: flag,
    skip_lines: number,
    single_table_file_formats: { is: 'computed', zero: [] },
  },
  webhook: {
    url: given,
    auth_method: given,
    basic,
    header,
    headers: namesAndValues,
    oauth,
    query: namesAndValues,
  },
  csv: {
    url: given,
    auth: within({ basic, header, oauth, query: namesAndValues }),
    headers: namesAndValues,
    parameters: namesAndValues,
  },
  httpenrichment: { url: given, method: given, healthcheck: text, headers: namesAndValues },
};

/** `polytomic_<type>_connection`. */
export function connection(type: keyof typeof configurations): Resource {
  const shape = configurations[type] ?? {};
  const stateOf = ({ data }: Answered, known: Values): Values => ({
    id: data.id,
    name: data.name,
    organization: data.organization_id,
    configuration: decoded(shape, data.configuration, known),
  });
  return {
    shape: {
      id: kept,
      name: given,
      organization: { is: 'computed' },
      configuration: nested(shape),
    },
    unreadable: ['configuration'],
    async create(send, { configuration }) {
      const own = configuration.configuration as Values;
      const answer = await send('POST', '/api/connections', {
        name: configuration.name,
        type,
        ...(configuration.organization ? { organization_id: configuration.organization } : {}),
        configuration: encoded(shape, own),
        validate: false,
      });
      return stateOf(there(answer), own);
    },
    async read(send, state) {
      const answer = await send('GET', `/api/connections/${state.id}`);
      return answer && stateOf(answer, (state.configuration ?? {}) as Values);
    },
    async update(send, { plan, state }) {
      const own = plan.configuration as Values;
      const body = encoded(shape, own);
      // A secret that stays as it was is not sent.
      for (const [name, { sensitive }] of Object.entries(shape)) {
        const before = (state.configuration as Values)[name];
        if (sensitive && body[name] === before) delete body[name];
      }
      const answer = await send('PUT', `/api/connections/${state.id}`, {
        name: plan.name,
        organization_id: orZero(plan.organization, ''),
        configuration: body,
        validate: false,
      });
      return stateOf(there(answer), own);
    },
    delete: (send, state) => send('DELETE', `/api/connections/${state.id}?force=false`),
  };
}

/** What is known and set; inside of objects what is not set has Go's zero values. */
function encoded(shape: Shape, values: Values): Record<string, Value> {
  const set = Object.entries(shape).flatMap(([name, attribute]): [string, Value][] => {
    const value = values[name] ?? null;
    return value === null || value === unknown ? [] : [[name, whole(attribute, value)]];
  });
  return Object.fromEntries(set);
}

function whole({ nested: inner, zero = '' }: Attribute, value: Value): Value {
  if (value === unknown || value === null || value === undefined) return zero;
  if (inner === undefined) return value;
  if (isList(value)) return value.map((item) => whole({ is: 'given', nested: inner }, item));
  const members = Object.entries(inner).filter(([name]) => (value as Values)[name] !== unknown);
  return Object.fromEntries(members.map(([name, one]) => [name, whole(one, (value as Values)[name])]));
}

/** The structs of the provider have no absent members. */
function decoded(shape: Shape, answer: Value, known: Values): Values {
  const values = (answer ?? {}) as Values;
  return Object.fromEntries(
    Object.entries(shape).map(([name, attribute]) => {
      return [
        name,
        attribute.sensitive ? (orZero(known[name], '') ?? '') : decodedOne(attribute, values[name]),
      ];
    }),
  );
}

function decodedOne({ nested: inner, zero = '' }: Attribute, value: Value): Value {
  if (inner === undefined) return value ?? (isList(zero) ? null : zero);
  if (isList(zero)) return isList(value) ? value.map((item) => decoded(inner, item, {})) : null;
  return decoded(inner, value, {});
}
