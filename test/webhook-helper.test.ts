import { readFileSync } from 'node:fs';
import fc from 'fast-check';
// By the name its users import it under.
import { verifyWebhook, WebhookVerificationError } from 'tidemark/webhook';
import { expect, test } from 'vitest';
import { sampleEvent } from '../src/events/index.ts';
import { sign, signingKey } from '../src/webhooks/index.ts';

interface Vector {
  secret: string;
  id: string;
  timestamp: number;
  body: string;
  headers: Record<string, string>;
}
const { vectors } = JSON.parse(
  readFileSync(new URL('vectors/webhook-signatures.json', import.meta.url), 'utf8'),
) as { vectors: Vector[] };

const secret = 'the secret';
const payload = { type: 'sync.failed', event: sampleEvent('sync.failed') };
const body = Buffer.from(JSON.stringify(payload));
const now = 1_764_000_000_000;
const headers = { ...sign([signingKey(secret)], body, 'evt_1', now) } as Record<string, string>;

function codeOf(run: () => unknown): string {
  try {
    run();
    return 'accepted';
  } catch (error) {
    if (error instanceof WebhookVerificationError) return error.code;
    throw error;
  }
}

test('a signed request becomes a typed event', () => {
  const verified = verifyWebhook({ body, headers }, secret, { now });
  expect(verified).toEqual({ id: 'evt_1', timestamp: new Date(now), ...payload });
  // The union narrows by type: this line would not compile otherwise.
  if (verified.type === 'sync.failed') expect(verified.event.error).toBe(payload.event.error);
});

test('from text or bytes, from Headers, a record of any case, or Node’s arrays', () => {
  const upper = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]),
  );
  const arrays = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));
  for (const one of [headers, upper, arrays, new Headers(headers)]) {
    expect(verifyWebhook({ body: body.toString(), headers: one }, secret, { now }).id).toBe('evt_1');
  }
});

test('whatever is not right is refused with a code that says what', () => {
  const check = (request: Parameters<typeof verifyWebhook>[0], with_: string | string[] = secret, at = now) =>
    codeOf(() => verifyWebhook(request, with_, { now: at }));
  expect(check({ body, headers }, 'another')).toBe('signature_mismatch');
  expect(check({ body, headers }, ['another', secret])).toBe('accepted');
  expect(check({ body: `${body} `, headers })).toBe('signature_mismatch');
  expect(check({ body, headers: { ...headers, 'webhook-id': 'evt_2' } })).toBe('signature_mismatch');
  expect(check({ body, headers: { 'webhook-id': 'evt_1' } })).toBe('missing_header');
  expect(check({ body, headers }, secret, now + 301_000)).toBe('timestamp_out_of_tolerance');
  expect(check({ body, headers }, secret, now - 301_000)).toBe('timestamp_out_of_tolerance');
  expect(check({ body, headers }, secret, now + 299_000)).toBe('accepted');
  const text = Buffer.from('not json');
  const signed = { ...sign([signingKey(secret)], text, 'e', now) };
  expect(check({ body: text, headers: signed })).toBe('invalid_body');
  expect(() => verifyWebhook({ body, headers }, '')).toThrow(TypeError);
  expect(() => verifyWebhook({ body: payload as never, headers }, secret)).toThrow(/raw body/);
});

test('an old request without the Standard Webhooks headers passes only if that scheme is asked for', () => {
  const only = { 'Polytomic-Signature': headers['Polytomic-Signature'] };
  expect(codeOf(() => verifyWebhook({ body, headers: only }, secret, { now }))).toBe('missing_header');
  const verified = verifyWebhook({ body, headers: only }, secret, { scheme: 'polytomic' });
  expect(verified).toEqual({ id: '', timestamp: undefined, ...payload });
});

test('it agrees with the vectors', () => {
  for (const vector of vectors.filter(({ body: text }) => text !== '{}')) {
    const options = { now: vector.timestamp * 1000 };
    for (const scheme of ['standard', 'polytomic'] as const) {
      expect(codeOf(() => verifyWebhook(vector, vector.secret, { ...options, scheme }))).toBe('accepted');
    }
  }
});

test('no header or body makes it accept, or throw anything but its own error', () => {
  const text = fc.string({ unit: 'binary', maxLength: 200 });
  fc.assert(
    fc.property(text, text, text, text, (id, time, signature, content) => {
      const request = {
        body: content,
        headers: { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': `v1,${signature}` },
      };
      expect(codeOf(() => verifyWebhook(request, secret, { now }))).not.toBe('accepted');
    }),
  );
});
