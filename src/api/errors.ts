import type { FastifyError } from 'fastify';
import { type ErrorMetadata, TidemarkError, unprocessable } from '../errors.ts';
import { SealUnreadable } from '../lib/seal.ts';
import type { App } from './app.ts';
import { databaseError } from './database-errors.ts';
import { type Deadlines, seconds } from './deadlines.ts';

/** `ApiError` on the wire. */
export interface ApiError {
  key: string;
  message: string;
  metadata: ErrorMetadata;
  status: number;
}

export function toApiError(error: TidemarkError): ApiError {
  return {
    key: error.key,
    message: `${error.message}. ${error.remedy}`,
    metadata: error.metadata,
    status: error.status,
  };
}

/** Renders everything thrown as an ApiError; what is not in the catalogue is logged and shown as `internal`. */
export function installErrors(app: App, bodyLimit: number, { handling }: Deadlines): void {
  app.setErrorHandler(async (thrown: FastifyError | TidemarkError, request, reply) => {
    const late = 'code' in thrown && thrown.code === 'FST_ERR_HANDLER_TIMEOUT';
    // It goes on, and may still do what was asked for.
    if (late && request.commits !== null) request.commits.happened = true;
    const error = late
      ? new TidemarkError('took_too_long', { seconds: seconds(handling) })
      : thrown instanceof TidemarkError
        ? thrown
        : fromFastify(thrown, bodyLimit);
    if (error === undefined) request.log.error({ err: thrown, request_id: request.id }, 'request.failed');
    else if (error.key === 'unavailable' && error !== thrown)
      request.log.warn({ err: thrown, request_id: request.id }, 'request.database_unavailable');
    const shown = toApiError(error ?? new TidemarkError('internal', { request_id: request.id }));
    if (error?.key === 'too_many_failures') reply.header('retry-after', String(error.metadata.seconds));
    if (shown.status === 503 && !reply.hasHeader('retry-after')) reply.header('retry-after', '1');
    return reply.code(shown.status).send(shown);
  });
}

type Issue = NonNullable<FastifyError['validation']>[number];

/** In the validator's words, with what it leaves out: the values that would do. */
function reasonOf({ message = 'is not valid', params }: Issue): string {
  const { allowedValues, allowedValue } = params;
  const allowed = Array.isArray(allowedValues)
    ? allowedValues
    : allowedValue === undefined
      ? []
      : [allowedValue];
  return allowed.length === 0 ? message : `takes ${allowed.map((one) => JSON.stringify(one)).join(', ')}`;
}

/** Numbers of a query are read here alone: out of their range is 422 everywhere. */
function rangeOf({ keyword, ...issue }: Issue): string | undefined {
  if (keyword !== 'minimum' && keyword !== 'maximum') return undefined;
  const { minimum, maximum } =
    (issue as { parentSchema?: { minimum?: number; maximum?: number } }).parentSchema ?? {};
  return `takes ${minimum} to ${maximum}`;
}

function fromFastify(error: FastifyError, bodyLimit: number): TidemarkError | undefined {
  if (error instanceof SealUnreadable)
    return new TidemarkError('secret_unreadable', { reason: error.message });
  const issue = error.validation?.[0];
  if (issue !== undefined) {
    const missing = issue.params.missingProperty;
    const path = `${issue.instancePath}${typeof missing === 'string' ? `/${missing}` : ''}`;
    const field = path.replace(/^\//, '').replaceAll('/', '.') || (error.validationContext ?? 'body');
    const range = error.validationContext === 'querystring' ? rangeOf(issue) : undefined;
    if (range !== undefined) return unprocessable(field, range);
    return new TidemarkError('invalid_field', { field, reason: reasonOf(issue) });
  }
  const ofDatabase = databaseError(error);
  if (ofDatabase !== undefined) return ofDatabase;
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new TidemarkError('body_too_large', { limit: bodyLimit });
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new TidemarkError('unsupported_media_type', { content_type: error.message });
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new TidemarkError('malformed_json', { reason: error.message });
    default:
      return error.statusCode !== undefined && error.statusCode < 500
        ? new TidemarkError('bad_request', { reason: error.message })
        : undefined;
  }
}
