import type { Socket } from 'node:net';
import type { FastifyError } from 'fastify';
import { type ErrorMetadata, TidemarkError } from '../errors.ts';
import { SealUnreadable } from '../lib/seal.ts';
import type { App } from './app.ts';
import { versionHeader } from './versions.ts';

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
export function installErrors(app: App, bodyLimit: number): void {
  app.setErrorHandler(async (thrown: FastifyError | TidemarkError, request, reply) => {
    const error = thrown instanceof TidemarkError ? thrown : fromFastify(thrown, bodyLimit);
    if (error === undefined) request.log.error({ err: thrown, request_id: request.id }, 'request.failed');
    const shown = toApiError(error ?? new TidemarkError('internal', { request_id: request.id }));
    return reply.code(shown.status).send(shown);
  });
}

/** Of what Node gives up before there is a request. A client that was slow may try again, so it is told that. */
const statusLines: Record<string, string> = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
};

/** Answers what is no HTTP, and ends the connection. */
export function refuseUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const line = statusLines[error.code ?? ''] ?? '400 Bad Request';
  const shown = toApiError(new TidemarkError('bad_request', { reason: error.message }));
  const body = JSON.stringify({ ...shown, status: Number.parseInt(line, 10) });
  const headers = {
    ...versionHeader,
    'content-type': 'application/json',
    'content-length': `${Buffer.byteLength(body)}`,
  };
  const lines = Object.entries({ ...headers, connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.end(`HTTP/1.1 ${line}\r\n${lines.join('')}\r\n${body}`);
}

/** SQLSTATEs of values that passed every check and still cannot be kept: the request is at fault, not we. */
const unstorableValues: Record<string, string> = {
  '22021': 'A text contains a NUL character, which cannot be stored',
  '22P05': 'A text contains a NUL character or half a surrogate pair, which cannot be stored',
  '22007': 'A timestamp is not valid',
  '22008': 'A timestamp is out of range',
};

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

function fromFastify(error: FastifyError, bodyLimit: number): TidemarkError | undefined {
  if (error instanceof SealUnreadable)
    return new TidemarkError('secret_unreadable', { reason: error.message });
  const issue = error.validation?.[0];
  if (issue !== undefined) {
    const missing = issue.params.missingProperty;
    const path = `${issue.instancePath}${typeof missing === 'string' ? `/${missing}` : ''}`;
    const field = path.replace(/^\//, '').replaceAll('/', '.') || (error.validationContext ?? 'body');
    return new TidemarkError('invalid_field', { field, reason: reasonOf(issue) });
  }
  const unstorable = unstorableValues[error.code];
  if (unstorable !== undefined) return new TidemarkError('bad_request', { reason: unstorable });
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
