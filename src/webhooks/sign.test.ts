import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Webhook } from 'standardwebhooks';
import { expect, test, vi } from 'vitest';
import { sign, signingKey } from './sign.ts';

interface Vector {
  name: string;
  secret: string;
  id: string;
  timestamp: number;
  body: string;
  headers: Record<string, string>;
}
const file = new URL('../../test/vectors/webhook-signatures.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: Vector[] };

const body = Buffer.from('{"type":"sync.running","event":{"name":"Zoë 🌊"}}');

test.each(vectors)('the headers of $name are those that another implementation made', (vector) => {
  const now = vector.timestamp * 1000 + 999;
  const headers = sign([signingKey(vector.secret)], Buffer.from(vector.body), vector.id, now);
  expect(headers).toEqual(vector.headers);
});

test('Polytomic-Signature is the lower-case hex HMAC-SHA256 of the body', () => {
  const signature = sign([signingKey('somepassword')], body, 'evt', 0)['Polytomic-Signature'];
  expect(signature).toBe(createHmac('sha256', 'somepassword').update(body).digest('hex'));
  expect(signature).toMatch(/^[0-9a-f]{64}$/);
});

test.each(vectors)('the npm package standardwebhooks accepts the headers of $name', (vector) => {
  vi.useFakeTimers({ now: vector.timestamp * 1000, toFake: ['Date'] });
  try {
    const raw = !vector.secret.startsWith('whsec_');
    const verifier = raw
      ? new Webhook(Buffer.from(vector.secret), { format: 'raw' })
      : new Webhook(vector.secret);
    expect(verifier.verify(vector.body, vector.headers)).toEqual(JSON.parse(vector.body));
  } finally {
    vi.useRealTimers();
  }
});

test('it accepts nothing that was changed', () => {
  vi.useFakeTimers({ now: 1_764_000_000_000, toFake: ['Date'] });
  try {
    const secret = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;
    const verifier = new Webhook(secret);
    const headers = { ...sign([signingKey(secret)], body, 'evt_1', Date.now()) };
    expect(verifier.verify(body.toString(), headers)).toEqual(JSON.parse(body.toString()));
    expect(() => verifier.verify(`${body} `, headers)).toThrow();
    expect(() => verifier.verify(body.toString(), { ...headers, 'webhook-id': 'evt_2' })).toThrow();
  } finally {
    vi.useRealTimers();
  }
});

test('while a secret replaces another, receivers of either accept', () => {
  const [old, next] = [1, 2].map((byte) => `whsec_${Buffer.alloc(24, byte).toString('base64')}`) as [
    string,
    string,
  ];
  const headers = { ...sign([signingKey(next), signingKey(old)], body, 'evt_1', Date.now()) };
  for (const secret of [old, next]) {
    expect(new Webhook(secret).verify(body.toString(), headers)).toBeDefined();
  }
  // Polytomic's header has one signature: the new secret's.
  expect(headers['Polytomic-Signature']).toBe(createHmac('sha256', next).update(body).digest('hex'));
});
