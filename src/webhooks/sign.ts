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
 *
 * @param body exactly what is sent. @param eventId the same on every attempt. @param now milliseconds.
 */
export function sign(secret: string, body: string, eventId: string, now: number): SignedHeaders {
  const timestamp = String(Math.floor(now / 1000));
  const standard = hmac(standardKey(secret), `${eventId}.${timestamp}.${body}`).toString('base64');
  return {
    'Polytomic-Signature': hmac(Buffer.from(secret, 'utf8'), body).toString('hex'),
    'webhook-id': eventId,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${standard}`,
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
