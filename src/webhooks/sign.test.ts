import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { sign, signingKey } from './sign.ts';

const body = '{"type":"sync.running","event":{"name":"Zoë 🌊"}}';

test('Polytomic-Signature is the lower-case hex HMAC-SHA256 of the body', () => {
  const signature = sign([signingKey('somepassword')], Buffer.from(body), 'evt', 0)['Polytomic-Signature'];
  expect(signature).toBe(createHmac('sha256', 'somepassword').update(Buffer.from(body)).digest('hex'));
  expect(signature).toMatch(/^[0-9a-f]{64}$/);
});

test('Standard Webhooks: id, seconds, and a signature over both and the body', () => {
  const key = Buffer.alloc(24, 9);
  const headers = sign(
    [signingKey(`whsec_${key.toString('base64')}`)],
    Buffer.from(body),
    'evt_1',
    1_764_000_000_999,
  );
  expect(headers['webhook-id']).toBe('evt_1');
  expect(headers['webhook-timestamp']).toBe('1764000000');
  const expected = createHmac('sha256', key).update(`evt_1.1764000000.${body}`).digest('base64');
  expect(headers['webhook-signature']).toBe(`v1,${expected}`);
});
