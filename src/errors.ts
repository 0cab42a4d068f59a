/**
 * The catalogue of every error a user can meet. `docs/errors.md` is generated from it.
 *
 * `status` is the HTTP status, `text` what happened (with `{placeholders}` filled from the error's
 * metadata), `remedy` what the reader can do. Keys are stable: clients may switch on them.
 */
export const catalogue = {
  bad_request: { status: 400, text: '{reason}', remedy: 'Correct the request as the message says.' },
  malformed_json: {
    status: 400,
    text: 'The request body is not valid JSON: {reason}',
    remedy: 'Send one JSON document with Content-Type: application/json.',
  },
  invalid_field: {
    status: 400,
    text: '{field}: {reason}',
    remedy: 'Correct the named field.',
  },
  unknown_member: {
    status: 400,
    text: 'Nothing reads these members of the request: {members}',
    remedy: 'Correct their names or leave them out; GET /api/openapi.json says what each operation reads.',
  },
  body_too_deep: {
    status: 400,
    text: 'The request body is nested deeper than {limit} levels',
    remedy: 'Send what lies deeper as a text, or send less of it.',
  },
  unsupported_member: {
    status: 422,
    text: '{field}: {reason}',
    remedy: 'Leave the member out.',
  },
  unknown_version: {
    status: 400,
    text: 'X-Polytomic-Version {version} is not known',
    remedy: 'Use one of {known}, or leave the header out.',
  },
  connection_failed: {
    status: 400,
    text: 'The connection does not work: {reason}',
    remedy: 'Correct the configuration, or send "validate": false to store it unchecked.',
  },
  too_many_deletes: {
    status: 422,
    text: 'The execution would delete {deletes} of the {rows} rows of the target, and max_deletes of the sync allows {limit}; nothing was deleted',
    remedy:
      'Look whether the model has all its records. If the rows are to go, set max_deletes to a number or a share like "100%" and start it again.',
  },
  look_took_too_long: {
    status: 422,
    text: 'The system of the connection did not answer within {seconds} seconds',
    remedy:
      'Ask for less, look why it is slow, or raise TIDEMARK_LOOK_SECONDS. Models are read for longer with "async": true.',
  },
  look_failed: {
    status: 422,
    text: 'What the system of the connection answered could not be read: {reason}',
    remedy:
      'Ask for less, or look what it answers. TIDEMARK_LOOK_MEMORY_MB is the memory that a look may take.',
  },
  no_schemas: {
    status: 400,
    text: 'Connection {connection_id} did not provide any schemas',
    remedy: 'Refresh its schemas and see their status, then try again.',
  },
  invalid_query: { status: 400, text: 'The query failed: {reason}', remedy: 'Correct the query.' },
  unauthorized: {
    status: 401,
    text: 'No valid credential was sent',
    remedy: 'Send "Authorization: Bearer <API key>", or Basic with organization id and key.',
  },
  forbidden: { status: 403, text: '{reason}', remedy: 'Use a credential that is allowed to do this.' },
  not_found: {
    status: 404,
    text: 'No {resource} with id {id} exists',
    remedy: 'Look the id up in the matching list operation; ids of other organizations are never found.',
  },
  record_logs_removed: {
    status: 404,
    text: 'The record logs of execution {execution_id} were removed at {removed_at}, when they had been kept long enough',
    remedy: 'Set TIDEMARK_RECORD_LOG_RETENTION_DAYS to keep those of later executions for longer.',
  },
  unknown_route: {
    status: 404,
    text: '{method} {path} is not an operation of this API',
    remedy: 'See docs/api.md for the operations.',
  },
  method_not_allowed: {
    status: 405,
    text: '{method} is no operation of {path}',
    remedy: 'Use {allowed}; see docs/api.md for the operations.',
  },
  request_timeout: {
    status: 408,
    text: 'The request did not arrive in time: its head may take {head_seconds} s, all of it {seconds} s',
    remedy: 'Send it again over a connection that is fast enough.',
  },
  execution_running: {
    status: 409,
    text: 'Sync {sync_id} already has a running execution {execution_id}',
    remedy: 'Wait until it finishes, or cancel it.',
  },
  name_taken: {
    status: 409,
    text: 'The name {name} is taken by another {resource}',
    remedy: 'Choose another name.',
  },
  conflict: {
    status: 409,
    text: 'Something was created at the same time that cannot be there twice ({constraint})',
    remedy: 'Look what is there now, and repeat the request if it is still needed.',
  },
  gone_meanwhile: {
    status: 404,
    text: 'Something that the request needs was deleted at the same time ({constraint})',
    remedy: 'Look what is still there, and repeat the request without what is gone.',
  },
  sso_domain_taken: {
    status: 409,
    text: 'The sso_domain {sso_domain} is taken by another organization',
    remedy: 'Choose another domain, or remove it from the other organization first.',
  },
  idempotency_in_flight: {
    status: 409,
    text: 'A request with this Idempotency-Key is still running',
    remedy: 'Repeat the request in a second to receive its result.',
  },
  body_too_large: {
    status: 413,
    text: 'The request body is larger than {limit} bytes',
    remedy: 'Send a smaller body.',
  },
  too_many_values: {
    status: 413,
    text: 'The request body has more than {limit} values',
    remedy: 'Send several requests.',
  },
  unsupported_media_type: {
    status: 415,
    text: 'Content-Type {content_type} is not supported',
    remedy: 'Send application/json in UTF-8.',
  },
  unsupported_encoding: {
    status: 415,
    text: 'Content-Encoding {content_encoding} is not supported',
    remedy: 'Send the body as it is, without Content-Encoding.',
  },
  webhook_disabled: {
    status: 422,
    text: 'Webhook {webhook_id} is disabled',
    remedy: 'Enable it first; then repeat this.',
  },
  too_many_streams: {
    status: 429,
    text: 'This organization has {limit} event streams open already',
    remedy: 'Close one, or let several consumers share a stream.',
  },
  too_many_failures: {
    status: 429,
    text: 'Too many requests without a valid API key came from this address',
    remedy: 'Send a valid key, which is always taken, or wait for {seconds} seconds.',
  },
  head_too_large: {
    status: 431,
    text: 'The head of the request is larger than {limit} bytes',
    remedy: 'Send a shorter URL and fewer headers.',
  },
  unprocessable: { status: 422, text: '{reason}', remedy: 'Correct the named value.' },
  not_ours: {
    status: 422,
    text: '{table} exists in the destination, and this sync did not make it: {stranger}. Set destination_configuration.adopt to true to keep it and write the rows into it: rows with the keys of the source are updated, others are marked as deleted or removed, and without a key it is emptied first. Or set destination_configuration.overwrite to true to drop it and put a new one in its place',
    remedy: 'Give the sync another schema or a table prefix, move what is there away, or set one of the two.',
  },
  rows_differ: {
    status: 422,
    text: 'Rows were lost or repeated on the way ({difference}): {counts}. The table keeps what it held',
    remedy: 'Run it again. If it fails alike, report it with this message: a part of the way loses rows.',
  },
  rows_hidden: {
    status: 422,
    text: 'Rows would be missing: {reason}. Give the role BYPASSRLS, or set row_level_security in the connection to read only what the role sees',
    remedy:
      'alter role … bypassrls; or have row_level_security be true in the configuration of the connection.',
  },
  session_setting: {
    status: 422,
    text: 'The server does not keep the setting {setting}: it was set to {wanted} and is {found}',
    remedy: 'Connect without what lies between Tidemark and the server, or have it pass settings on.',
  },
  connection_in_use: {
    status: 422,
    text: 'connection in use by {used_by}',
    remedy: 'Delete what uses it first, or repeat with force=true to delete both.',
  },
  in_use: {
    status: 422,
    text: '{type} {name} is needed by {used_by}',
    remedy:
      'Change or delete what needs it first, or repeat with force=true: syncs of a model are deleted with it; what is related to it or runs after it stays, without it.',
  },
  fields_in_use: {
    status: 422,
    text: 'model {name} would no longer have {fields}, which {used_by} uses',
    remedy:
      'Keep the fields, or change what uses them first, or repeat with force=true: what uses them then stays as it is, and fails until it is changed.',
  },
  refresh_in_progress: {
    status: 422,
    text: 'cache refresh in progress for connection {connection_id}',
    remedy: 'Wait until GET /api/connections/{connection_id}/schemas/status says fresh.',
  },
  webhook_exists: {
    status: 422,
    text: 'This organization already has webhook {webhook_id}',
    remedy: 'Update or delete the existing webhook.',
  },
  idempotency_mismatch: {
    status: 422,
    text: 'This Idempotency-Key was used for a different request',
    remedy: 'Use a new key for a new request.',
  },
  secret_unreadable: {
    status: 422,
    text: 'A stored secret cannot be read: it was {reason}',
    remedy: 'Give Tidemark the encryption key that it was sealed with, or enter the secrets again.',
  },
  internal: {
    status: 500,
    text: 'Something failed inside Tidemark (request {request_id})',
    remedy: 'Look for the request id in the server log.',
  },
  not_implemented: {
    status: 501,
    text: '{operation} is not built yet',
    remedy: 'See CHANGELOG.md for what works in this version.',
  },
  took_too_long: {
    status: 503,
    text: 'The request was not done within {seconds} s; what it asked for may still be done',
    remedy: 'Look whether it was done before you repeat it.',
  },
  unavailable: {
    status: 503,
    text: '{reason}',
    remedy: 'Repeat the request in a few seconds.',
  },
} as const satisfies Record<string, { status: number; text: string; remedy: string }>;

export type ErrorKey = keyof typeof catalogue;

/** Something that needs something else. `type` is `connection`, `model`, `sync` or `bulk_sync`. */
export interface Use {
  type: string;
  name: string;
  id: string;
}

export type ErrorMetadata = Record<string, string | number | boolean | null | string[] | Use[]>;

/** How many of a list a text names; the metadata has all. */
const mostNamed = 10;

/** An error a user may see. Thrown anywhere, rendered once by the API and the command line. */
export class TidemarkError extends Error {
  override name = 'TidemarkError';
  readonly key: ErrorKey;
  readonly metadata: ErrorMetadata;

  constructor(key: ErrorKey, metadata: ErrorMetadata = {}, options?: ErrorOptions) {
    super(fill(catalogue[key].text, metadata), options);
    this.key = key;
    this.metadata = metadata;
  }

  get status(): number {
    return catalogue[this.key].status;
  }

  get remedy(): string {
    return fill(catalogue[this.key].remedy, this.metadata);
  }
}

/** @param field of the request or configuration, e.g. `fields.0.target`. */
export function invalidField(field: string, reason: string): TidemarkError {
  return new TidemarkError('invalid_field', { field, reason });
}

/** What cannot be, though each field by itself may be. */
export function unprocessable(field: string, reason: string): TidemarkError {
  return new TidemarkError('unprocessable', { reason: `${field}: ${reason}`, field });
}

export function notFound(resource: string, id: string): TidemarkError {
  return new TidemarkError('not_found', { resource, id });
}

/** The text to show for anything that was thrown. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Node's happy-eyeballs connect failure is an AggregateError with an empty message.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  // A server may refuse something and not say why.
  return error.message === '' ? `${error.name} without a message` : error.message;
}

function fill(template: string, metadata: ErrorMetadata): string {
  return template.replaceAll(/\{(\w+)\}/g, (placeholder, name: string) => {
    const value = metadata[name];
    if (!Array.isArray(value)) return value === undefined ? placeholder : String(value);
    const named = value.map((one) =>
      typeof one === 'string' ? one : `${one.type.replace('_', ' ')} ${one.name}`,
    );
    const more = named.length - mostNamed;
    return named.slice(0, mostNamed).join(', ') + (more > 0 ? ` and ${more} more` : '');
  });
}
