import { createHmac } from 'node:crypto';

export interface SignedHeaders {
  'Polytomic-Signature': string;
  'webhook-id': string;
  'webhook-timestamp': string;
  'webhook-signature': string;
}

/**
 * Signs a delivery twice: as Polytomic does (hex HMAC-SHA256 of the body) and by Standard Webhooks 1.0, whose
 * signature covers the event's id and the time of this attempt, so that a receiver can refuse replays.
 * Polytomic's header has room for one signature and carries the newest secret's; Standard Webhooks carries
 * one per secret.
 *
 * @param secrets newest first. @param body exactly what is sent. @param eventId the same on every attempt.
 * @param now milliseconds.
 */
export function sign(secrets: readonly string[], body: string, eventId: string, now: number): SignedHeaders {
  const timestamp = String(Math.floor(now / 1000));
  const signed = `${eventId}.${timestamp}.${body}`;
  const standard = secrets.map((secret) => `v1,${hmac(standardKey(secret), signed).toString('base64')}`);
  return {
    'Polytomic-Signature': hmac(Buffer.from(secrets[0] ?? '', 'utf8'), body).toString('hex'),
    'webhook-id': eventId,
    'webhook-timestamp': timestamp,
    'webhook-signature': standard.join(' '),
  };
}

/** `whsec_` marks a base64 key in Standard Webhooks; any other secret is used as it is. */
function standardKey(secret: string): Buffer {
  const prefix = 'whsec_';
  return secret.startsWith(prefix)
    ? Buffer.from(secret.slice(prefix.length), 'base64')
    : Buffer.from(secret, 'utf8');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}
