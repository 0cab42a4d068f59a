/**
 * The limits that a user can meet. `docs/limits.md` is generated from them, and the shapes of requests state them: nobody
 * else writes such a number down.
 *
 * A limit of another room is one more entry here: what it is of, how much, and the error that says so. Where a setting
 * decides, `variable` names it and `most` is its default.
 */
export interface Limit {
  /** What is limited, as a reader would say it. */
  of: string;
  most: number;
  unit: string;
  /** Key of the error that whoever goes beyond it is told (docs/errors.md); undefined: what `of` says happens. */
  error?: string;
  /** The setting that changes it (docs/config.md). */
  variable?: string;
}

const text = (of: string, most: number): Limit => ({ of, most, unit: 'characters', error: 'invalid_field' });
const list = (of: string, most: number): Limit => ({ of, most, unit: 'items', error: 'invalid_field' });
const size = (of: string, most: number): Limit => ({ of, most, unit: 'size', error: 'invalid_field' });

/** A request as such. */
const request = {
  head: { of: 'Its URL and headers', most: 256 * 1024, unit: 'bytes', error: 'head_too_large' },
  body: { of: 'Its body', most: 2 * 1024 * 1024, unit: 'bytes', error: 'body_too_large' },
  depth: { of: 'Objects and lists in each other', most: 64, unit: 'levels', error: 'body_too_deep' },
  values: {
    of: 'Members and items of its body, at every depth',
    most: 30_000,
    unit: 'values',
    error: 'too_many_values',
  },
  parameter: { of: 'A parameter of its path', most: 1024, unit: 'characters', error: 'bad_request' },
  idempotencyKey: { of: 'Its Idempotency-Key', most: 255, unit: 'characters', error: 'bad_request' },
  headTime: { of: 'Until its head has arrived', most: 15, unit: 's', error: 'request_timeout' },
  bodyTime: { of: 'Until all of it has arrived', most: 30, unit: 's', error: 'request_timeout' },
  handlingTime: { of: 'Until it is answered', most: 60, unit: 's', error: 'took_too_long' },
  idleTime: { of: 'That its answer may be left unread; then the connection ends', most: 120, unit: 's' },
  page: { of: 'Items of a page of a list (`limit`)', most: 100, unit: 'items', error: 'unprocessable' },
  wait: { of: 'Waiting for an event (`wait`)', most: 30, unit: 's', error: 'unprocessable' },
  streams: {
    of: 'Event streams of an organization at one server',
    most: 50,
    unit: 'streams',
    error: 'too_many_streams',
  },
} as const satisfies Record<string, Limit>;

const texts = {
  word: text('A word of a list that the API knows, such as a mode or a function', 64),
  id: text('An id', 255),
  schemaId: text('An id of a schema, a table or an object', 1024),
  name: text('A name, label or role', 255),
  email: text('An e-mail address', 320),
  url: text('A URL', 2048),
  secret: text('A secret or a passphrase', 4096),
  field: text('A name of a field or a path in it', 1024),
  timestamp: text('A time', 64),
  schedulePart: text('A part of a time of a schedule', 128),
  token: text('A token of a page or a cursor', 2048),
  logic: text('The logic of filters', 2000),
  operand: text('A value that a filter compares with', 10_000),
  value: text('A constant of a sync', 65_536),
  example: text('An example of a field', 4096),
} satisfies Record<string, Limit>;

const lists = {
  fields: list('Fields of a model, a schema or a sync', 2000),
  additionalFields: list('Additional fields of a model, or fields of its enrichment', 1000),
  fewFields: list('Tracking columns, or mappings of an enrichment', 100),
  relations: list('Relations of a model', 50),
  filters: list('Filters of a sync or a schema', 100),
  overrides: list('Overrides of a sync', 200),
  identities: list('Identities of a sync', 10),
  models: list('Models whose fields one sync uses', 50),
  policies: list('Policies or roles', 100),
  schemas: list('Schemas of a bulk sync, or of one of its schedules', 10_000),
  schedules: list('Additional schedules of a bulk sync', 50),
  runAfter: list('Syncs that a schedule waits for', 100),
  records: list('Identities of records that a start asks for', 10_000),
  recordParts: list('Parts of the identity of one record', 10),
  operands: list('Values that one filter compares with', 1000),
  query: list('Values of a parameter that is repeated', 1000),
} satisfies Record<string, Limit>;

/** Of what a connector or a function says what is in it. Characters of texts and names, and 20 for each value. */
const open = {
  configuration: size('A configuration of a connection', 250_000),
  modelConfiguration: size('A configuration of a model, its SQL included', 500_000),
  value: size('A value of a filter or an override', 250_000),
  members: { of: 'Members of such an object', most: 1000, unit: 'members', error: 'invalid_field' },
} satisfies Record<string, Limit>;

/** What a task may take that speaks to a system of a user. */
const processes = {
  looks: {
    of: 'Requests at a time that speak to systems; one organization has one place less',
    most: 4,
    unit: 'requests',
    error: 'unavailable',
    variable: 'TIDEMARK_LOOKS',
  },
  lookTime: {
    of: 'Until the last byte of such an answer',
    most: 15,
    unit: 's',
    error: 'look_took_too_long',
    variable: 'TIDEMARK_LOOK_SECONDS',
  },
  lookMemory: {
    of: 'Resident memory of the process that answers it',
    most: 384,
    unit: 'MB',
    error: 'look_failed',
    variable: 'TIDEMARK_LOOK_MEMORY_MB',
  },
  lookAnswer: { of: 'Such an answer', most: 16 * 1024 * 1024, unit: 'characters', error: 'look_failed' },
  executions: {
    of: 'Executions of a worker at a time; one organization has one place less. Others wait',
    most: 4,
    unit: 'executions',
    variable: 'TIDEMARK_EXECUTIONS_PER_WORKER',
  },
  executionMemory: {
    of: 'Resident memory of the process that runs an execution; beyond it the process is killed, and the execution goes on in another',
    most: 512,
    unit: 'MB',
    variable: 'TIDEMARK_EXECUTION_MEMORY_MB',
  },
  silence: {
    of: 'That such a process may not respond before it is killed',
    most: 30,
    unit: 's',
    variable: 'TIDEMARK_SILENCE_SECONDS',
  },
  cancel: { of: 'From a cancel to the end of an execution that does not heed it', most: 2, unit: 's' },
  deaths: {
    of: 'Processes that may die over an execution without progress; then it fails',
    most: 5,
    unit: 'processes',
  },
  spill: { of: 'What SQL of a DuckDB model may write to the disk; then it fails', most: 4, unit: 'GiB' },
} satisfies Record<string, Limit>;

export const limits = { request, texts, lists, open, processes };

/** Headings of the tables. */
export const limitGroups: Record<keyof typeof limits, string> = {
  request: 'A request',
  texts: 'Texts',
  lists: 'Lists',
  open: 'Values without a fixed shape',
  processes: 'Processes that speak to systems of users',
};
