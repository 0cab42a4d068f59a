import { ConfigError, readConfig } from '../../config.ts';
import { type EventType, eventTypes, sampleEvent } from '../../events/index.ts';
import { signingKey } from '../../webhooks/index.ts';
import { createClient, type ServerAccess } from '../client.ts';
import { command } from '../command.ts';
import { printable } from '../printable.ts';
import { forward, newSecret } from './forward.ts';
import { checkTypes, checkUrl, forwardOptions } from './options.ts';
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

export const trigger = command({
  name: 'trigger',
  summary: 'Sends a sample event to the organization’s webhook through the server, or straight to a URL.',
  words: [{ name: 'type', text: `One of ${eventTypes.join(', ')}` }],
  options: {
    ...forwardOptions,
    url: { takes: 'url', text: 'The server, instead of the one of the data directory.' },
  },
  async run({ options, words }, environment) {
    checkTypes([words.type]);
    const type = words.type as EventType;
    const target = options['forward-to'];
    if (target === undefined) return triggerThroughServer(type, await serverOf(environment, options.url));
    return triggerLocally(type, target, options.secret ?? readConfig(environment).webhookSecret);
  },
});

async function triggerThroughServer(type: EventType, server: ServerAccess): Promise<number> {
  const client = createClient(server);
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
  console.log(`${type} ${ok ? '→' : '✗'} ${url}: ${printable(outcome)} (${Math.round(durationMs)} ms)`);
  return ok ? 0 : 1;
}
