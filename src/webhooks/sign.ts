import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';

export interface SignedHeaders {
  'Polytomic-Signature': string;
  'webhook-id': string;
  'webhook-timestamp': string;
  'webhook-signature': string;
}

/** A secret made ready for both schemes. Preparing a key costs as much as several signatures. */
export interface SigningKey {
  polytomic: KeyObject;
  standard: KeyObject;
}

/** `whsec_` marks a base64 key in Standard Webhooks; any other secret is used as it is. */
export function signingKey(secret: string): SigningKey {
  const polytomic = createSecretKey(secret, 'utf8');
  const prefix = 'whsec_';
  return secret.startsWith(prefix)
    ? { polytomic, standard: createSecretKey(secret.slice(prefix.length), 'base64') }
    : { polytomic, standard: polytomic };
}

/**
 * Signs a delivery twice: as Polytomic does (hex HMAC-SHA256 of the body) and by Standard Webhooks 1.0, whose
 * signature covers the event's id and the time of this attempt, so that a receiver can refuse replays.
 * Polytomic's header has room for one signature and carries the newest secret's; Standard Webhooks carries
 * one per secret.
 *
 * @param keys newest first. @param body exactly what is sent. @param eventId the same on every attempt.
 * @param now milliseconds.
 */
export function sign(
  keys: readonly [SigningKey, ...SigningKey[]],
  body: Buffer,
  eventId: string,
  now: number,
): SignedHeaders {
  const timestamp = String(Math.floor(now / 1000));
  const signed = `${eventId}.${timestamp}.`;
  const standard = keys.map(
    (key) => `v1,${createHmac('sha256', key.standard).update(signed).update(body).digest('base64')}`,
  );
  return {
    'Polytomic-Signature': createHmac('sha256', keys[0].polytomic).update(body).digest('hex'),
    'webhook-id': eventId,
    'webhook-timestamp': timestamp,
    'webhook-signature': standard.join(' '),
  };
}
