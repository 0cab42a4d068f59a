import { EgressError } from '../../egress/index.ts';
import { messageOf, TidemarkError } from '../../errors.ts';
import { ConnectionLost } from '../contract.ts';
import { passing } from '../passing-answer.ts';
import type { Place } from './configuration.ts';

/** What the SDK throws for an answer of the store. */
interface Refusal extends Error {
  $metadata: { httpStatusCode?: number };
  $response?: { headers?: Record<string, string> };
}

/** What to throw for whatever the SDK has thrown: says what does not work, in words of the configuration. */
export function explain(error: unknown, { bucket, endpoint, region }: Place): unknown {
  if (error instanceof TidemarkError || error instanceof ConnectionLost) return error;
  const refused = (reason: string) => new TidemarkError('unprocessable', { reason }, { cause: error });
  const guard = [error, (error as Error | undefined)?.cause].find((one) => one instanceof EgressError);
  if (guard instanceof EgressError && /^(refused_address|invalid_url|tls)$/.test(guard.failure)) {
    return refused(`${endpoint}: ${guard.message}`);
  }
  const status = statusOf(error);
  const said = messageOf(error);
  const later = status === undefined ? { pause: 0 } : passing({ status, headers: headersOf(error) });
  if (status === undefined || later !== undefined) {
    return new ConnectionLost(`${endpoint}: ${said}`, { cause: error, pause: later?.pause ?? 0 });
  }
  switch ((error as Error).name) {
    case 'NoSuchBucket':
      return refused(`configuration.s3_bucket_name: there is no bucket ${bucket}`);
    case 'InvalidAccessKeyId':
    case 'SignatureDoesNotMatch':
      return refused(`configuration: the access key is not accepted (${said})`);
    case 'PermanentRedirect':
    case 'AuthorizationHeaderMalformed':
      return refused(`configuration.s3_bucket_region: ${bucket} is not in ${region} (${said})`);
    default:
      return refused(`bucket ${bucket} at ${endpoint}: ${said} (${(error as Error).name}, status ${status})`);
  }
}

export const isMissing = (error: unknown) => named(error, /^(NoSuchKey|NotFound)$/);
/** 412, or 409 for a write that is under way at the same moment. */
export const isOvertaken = (error: unknown) =>
  named(error, /^(PreconditionFailed|ConditionalRequestConflict)$/);
/** A store that knows no conditions. */
export const isUnsupported = (error: unknown) => statusOf(root(error)) === 501;

function named(error: unknown, name: RegExp): boolean {
  const { name: is } = (root(error) ?? {}) as { name?: string };
  return is !== undefined && name.test(is);
}

function root(error: unknown): unknown {
  return statusOf(error) === undefined && error instanceof Error ? error.cause : error;
}

function headersOf(error: unknown): Record<string, string> {
  return (error as Partial<Refusal>).$response?.headers ?? {};
}

function statusOf(error: unknown): number | undefined {
  return (error as Partial<Refusal> | undefined)?.$metadata?.httpStatusCode;
}
