import type { WebhookEvent } from './events.d.mts';

export type * from './events.d.mts';

export type WebhookHeaders =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

export interface WebhookRequest {
  /** The raw body, exactly as it was received. A parsed and written object has other bytes. */
  body: string | Uint8Array;
  headers: WebhookHeaders;
}

export interface VerifyOptions {
  /**
   * `standard` (the default) checks the Standard Webhooks headers, which protect against replays. `polytomic`
   * checks Polytomic-Signature, which signs the body only.
   */
  scheme?: 'standard' | 'polytomic';
  /** How far the time of the attempt may be from this clock; 300 when left out. */
  toleranceSeconds?: number;
  /** Milliseconds since the epoch; for tests. */
  now?: number;
}

export type VerifiedWebhook = WebhookEvent & {
  /** The event's id: the same on every attempt, so a receiver can tell a repetition. */
  id: string;
  /** When this attempt was signed; undefined under `polytomic` when the header is absent. */
  timestamp: Date | undefined;
};

export type VerificationFailure =
  | 'missing_header'
  | 'timestamp_out_of_tolerance'
  | 'signature_mismatch'
  | 'invalid_body';

export declare class WebhookVerificationError extends Error {
  readonly code: VerificationFailure;
}

/**
 * The event of a webhook request, once its signature is proved.
 *
 * @param secret the webhook's; several while one replaces another.
 * @throws WebhookVerificationError for a request not to be trusted: answer 400 and do nothing else.
 * @throws TypeError for a missing secret or a body that was parsed already.
 */
export declare function verifyWebhook(
  request: WebhookRequest,
  secret: string | readonly string[],
  options?: VerifyOptions,
): VerifiedWebhook;
