/**
 * `tidemark/webhook`: verifies a webhook request. Plain JavaScript without dependencies, for Node 18 and newer.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Why a request was not accepted; `code` is stable. */
export class WebhookVerificationError extends Error {
  /**
   * @param {import('./index.d.mts').VerificationFailure} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.name = 'WebhookVerificationError';
    this.code = code;
  }
}

/**
 * @param {import('./index.d.mts').WebhookRequest} request
 * @param {string | readonly string[]} secret
 * @param {import('./index.d.mts').VerifyOptions} [options]
 * @returns {import('./index.d.mts').VerifiedWebhook}
 */
export function verifyWebhook({ body, headers }, secret, options = {}) {
  const { scheme = 'standard', toleranceSeconds = 300, now = Date.now() } = options;
  const secrets = typeof secret === 'string' ? [secret] : [...secret];
  if (secrets.length === 0 || secrets.some((one) => typeof one !== 'string' || one === '')) {
    throw new TypeError('verifyWebhook needs at least one secret, none of them empty');
  }
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
    throw new TypeError(
      'verifyWebhook needs the raw body as text or bytes: a parsed object cannot be verified',
    );
  }
  const bytes =
    typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.length);
  const read = (/** @type {string} */ name) => {
    const value = readHeader(headers, name);
    if (value === undefined)
      throw new WebhookVerificationError('missing_header', `the header ${name} is missing`);
    return value;
  };

  const id = scheme === 'standard' ? read('webhook-id') : (readHeader(headers, 'webhook-id') ?? '');
  const seconds =
    scheme === 'standard' ? read('webhook-timestamp') : readHeader(headers, 'webhook-timestamp');
  if (scheme === 'standard') {
    const given = read('webhook-signature')
      .split(' ')
      .filter((part) => part.startsWith('v1,'))
      .map((part) => Buffer.from(part.slice(3), 'base64'));
    const signed = Buffer.concat([Buffer.from(`${id}.${seconds}.`), bytes]);
    check(
      given,
      secrets.map((one) => hmac(standardKey(one), signed)),
    );
    const age = Math.abs(now / 1000 - Number(seconds));
    if (!/^\d+$/.test(seconds ?? '') || !(age <= toleranceSeconds)) {
      throw new WebhookVerificationError(
        'timestamp_out_of_tolerance',
        `the request was signed at ${seconds}, more than ${toleranceSeconds} s away from this clock`,
      );
    }
  } else {
    const given = read('polytomic-signature');
    check(
      [Buffer.from(given, 'hex')],
      secrets.map((one) => hmac(Buffer.from(one), bytes)),
    );
  }

  let parsed;
  try {
    parsed = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new WebhookVerificationError('invalid_body', 'the body is signed and is no JSON');
  }
  if (typeof parsed?.type !== 'string' || typeof parsed.event !== 'object' || parsed.event === null) {
    throw new WebhookVerificationError('invalid_body', 'the body is signed and has no type and event');
  }
  const timestamp = seconds === undefined ? undefined : new Date(Number(seconds) * 1000);
  return { id, timestamp, type: parsed.type, event: parsed.event };
}

/** Every pair is compared, each in constant time, so that the time says nothing about which one matched. */
function check(/** @type {Buffer[]} */ given, /** @type {Buffer[]} */ expected) {
  let matched = false;
  for (const one of given.slice(0, 10)) {
    for (const other of expected) {
      if (one.length === other.length && timingSafeEqual(one, other)) matched = true;
    }
  }
  if (!matched) {
    throw new WebhookVerificationError(
      'signature_mismatch',
      'no signature matches: check the secret, and that the body is the raw one, byte for byte',
    );
  }
}

function hmac(/** @type {Buffer} */ key, /** @type {Buffer} */ message) {
  return createHmac('sha256', key).update(message).digest();
}

/** `whsec_` marks a key in base64; any other secret is used as it is. */
function standardKey(/** @type {string} */ secret) {
  return secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret);
}

/** From a Headers object or a record, whatever the case of its names. */
function readHeader(
  /** @type {import('./index.d.mts').WebhookHeaders} */ headers,
  /** @type {string} */ name,
) {
  if (typeof headers.get === 'function') return headers.get(name) ?? undefined;
  for (const [key, value] of Object.entries(headers)) {
    if (key.toLowerCase() === name && value !== undefined) return Array.isArray(value) ? value[0] : value;
  }
  return undefined;
}
