import type { Clock } from '../db/index.ts';
import { type Egress, EgressError, type Timing } from '../egress/index.ts';
import { messageOf } from '../errors.ts';
import { userAgent } from '../lib/version.ts';
import { type SignedHeaders, type SigningKey, sign } from './sign.ts';
import type { SigningKeys } from './signing-keys.ts';

/** One request to an endpoint. */
export interface Message {
  organizationId: string;
  endpoint: string;
  /** Sealed. */
  secret: Buffer;
  /** Those before it, which sign too while they overlap. */
  formerSecrets: readonly Buffer[];
  eventId: string;
  /** Exactly what goes over the wire. */
  body: string;
}

/** What came of an attempt. */
export interface AttemptResult {
  endpoint: string;
  /** A reading of performance.now(): this process's wall clock may be wrong, and may jump. */
  started: number;
  /** Null when no response arrived. */
  statusCode: number | null;
  /** `status`, or what kept a response from arriving. Null after a 2xx. */
  errorCode: string | null;
  /** In words; null after a 2xx. */
  error: string | null;
  timing: Timing;
  headers: Record<string, string> | null;
  /** At most 64 KiB. */
  body: Buffer | null;
}

/** The payload of an event as it is delivered: the bytes that are stored, not written anew. */
export function deliveryBody(type: string, event: string): string {
  return `{"type":${JSON.stringify(type)},"event":${event}}`;
}

/**
 * Signs and sends. Whatever is not a 2xx is a failure and is returned, never thrown: a status, a redirect, a
 * name that does not resolve, a refused address, a broken handshake, a deadline, a secret that cannot be opened.
 *
 * @param deadline milliseconds to the last byte of the response. @param signal gives up early.
 */
export async function send(
  { egress, keys, clock }: { egress: Egress; keys: SigningKeys; clock: Clock },
  message: Message,
  deadline: number,
  signal?: AbortSignal,
): Promise<AttemptResult> {
  const { organizationId, endpoint, eventId } = message;
  const started = performance.now();
  const unanswered = (errorCode: string, error: string): AttemptResult => ({
    endpoint,
    started,
    statusCode: null,
    errorCode,
    error,
    timing: { dns: null, connect: null, tls: null, firstByte: null, total: performance.now() - started },
    headers: null,
    body: null,
  });
  const body = Buffer.from(message.body);
  let signature: SignedHeaders;
  try {
    signature = sign(keysOf(keys, message), body, eventId, clock.now());
  } catch (cause) {
    // The key that sealed the secret is not on this process's ring: an operator can mend that.
    return unanswered('secret', `the secret cannot be opened: ${messageOf(cause)}`);
  }
  try {
    const response = await egress.of(organizationId).request({
      url: endpoint,
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'User-Agent': userAgent, ...signature },
      body,
      deadline,
      ...(signal === undefined ? {} : { signal }),
    });
    const { status, timing, headers } = response;
    const delivered = status >= 200 && status < 300;
    return {
      endpoint,
      started,
      statusCode: status,
      errorCode: delivered ? null : 'status',
      error: delivered ? null : describe(status),
      timing,
      headers,
      body: response.body,
    };
  } catch (cause) {
    if (signal?.aborted === true && !(cause instanceof EgressError)) {
      return unanswered('interrupted', 'the worker was stopped before the response was complete');
    }
    return unanswered(cause instanceof EgressError ? cause.failure : 'reset', messageOf(cause));
  }
}

function keysOf(keys: SigningKeys, { secret, formerSecrets }: Message): [SigningKey, ...SigningKey[]] {
  return [keys.get(secret), ...formerSecrets.map((former) => keys.get(former))];
}

function describe(status: number): string {
  return status >= 300 && status < 400
    ? `the endpoint answered ${status}: redirects are not followed`
    : `the endpoint answered ${status}`;
}
