import { randomBytes } from 'node:crypto';
import { messageOf } from '../../errors.ts';
import { userAgent } from '../../lib/version.ts';
import { deliveryBody, type SigningKey, sign } from '../../webhooks/index.ts';

/** Milliseconds. */
const deadline = 15_000;

export interface Forwarded {
  ok: boolean;
  /** `200`, or why there is no answer. */
  outcome: string;
  durationMs: number;
}

/** A secret for somebody who did not bring one. */
export function newSecret(): string {
  return `whsec_${randomBytes(24).toString('base64')}`;
}

/**
 * Posts one event the way a webhook delivery is posted, once. Not through the egress guard: the URL was typed by
 * the person at this machine, who wants to reach it.
 */
export async function forward(
  url: string,
  key: SigningKey,
  event: { id: string; type: string; raw: string },
): Promise<Forwarded> {
  const body = Buffer.from(deliveryBody(event.type, event.raw));
  const started = performance.now();
  const headers = { 'Content-Type': 'application/json', 'User-Agent': userAgent };
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, ...sign([key], body, event.id, Date.now()) },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(deadline),
    });
    await response.body?.cancel();
    const { ok, status } = response;
    return { ok, outcome: String(status), durationMs: performance.now() - started };
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    return { ok: false, outcome: messageOf(cause), durationMs: performance.now() - started };
  }
}
