import { ConfigError } from '../../config.ts';
import { type EventType, eventTypes, sampleEvent } from '../../events/index.ts';
import { signingKey } from '../../webhooks/index.ts';
import { createClient } from '../client.ts';
import type { Environment } from '../index.ts';
import { forward, newSecret } from './forward.ts';
import { checkTypes, checkUrl, readOptions } from './options.ts';
import { serverOf } from './server.ts';

interface TestResult {
  delivered: boolean;
  attempt: {
    endpoint: string;
    status_code: number | null;
    error: string | null;
    duration_ms: { total: number };
  };
}

/**
 * `tidemark trigger <type>`: a sample event to the organization's webhook, through the server; with
 * --forward-to to a local endpoint, without any server.
 */
export async function trigger(args: string[], environment: Environment): Promise<number> {
  const { values, positionals } = readOptions(args, {
    'forward-to': { type: 'string' },
    secret: { type: 'string' },
    url: { type: 'string' },
  });
  const [type = ''] = positionals;
  if (type === '') throw new ConfigError(`name an event type: ${eventTypes.join(', ')}`);
  checkTypes([type]);
  if (values['forward-to'] !== undefined) {
    return await triggerLocally(type as EventType, values['forward-to'], values.secret);
  }
  const client = createClient(await serverOf(environment, values.url));
  const [webhook] = await client.get<{ id: string }[]>('/api/webhooks');
  if (webhook === undefined) {
    throw new ConfigError('this organization has no webhook: create one, or use --forward-to <url>');
  }
  const result = await client.post<TestResult>(`/api/webhooks/${webhook.id}/test`, { type });
  const { endpoint, error, status_code, duration_ms } = result.attempt;
  return say(type, endpoint, result.delivered, error ?? String(status_code), duration_ms.total);
}

async function triggerLocally(type: EventType, target: string, given: string | undefined): Promise<number> {
  const url = checkUrl('--forward-to', target);
  const secret = given ?? newSecret();
  if (given === undefined) console.log(`Signed with ${secret}`);
  const event = { id: crypto.randomUUID(), type, raw: JSON.stringify(sampleEvent(type)) };
  const { ok, outcome, durationMs } = await forward(url, signingKey(secret), event);
  return say(type, url, ok, outcome, durationMs);
}

function say(type: string, url: string, ok: boolean, outcome: string, durationMs: number): number {
  console.log(`${type} ${ok ? '→' : '✗'} ${url}: ${outcome} (${Math.round(durationMs)} ms)`);
  return ok ? 0 : 1;
}
