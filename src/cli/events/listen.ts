import { ConfigError } from '../../config.ts';
import { signingKey } from '../../webhooks/index.ts';
import type { Environment } from '../index.ts';
import { untilSignal } from '../until-signal.ts';
import { forward, newSecret } from './forward.ts';
import { checkTypes, checkUrl, readOptions } from './options.ts';
import { serverOf } from './server.ts';
import { streamEvents } from './stream.ts';

/** `tidemark listen --forward-to <url>`: an organization's events to a local endpoint, a line for each. */
export async function listen(args: string[], environment: Environment): Promise<number> {
  const { values } = readOptions(args, {
    'forward-to': { type: 'string' },
    secret: { type: 'string' },
    type: { type: 'string', multiple: true, default: [] },
    since: { type: 'string' },
    url: { type: 'string' },
  });
  const target = checkUrl('--forward-to', values['forward-to']);
  checkTypes(values.type);
  if (values.secret === '') throw new ConfigError('--secret: must not be empty');
  const server = await serverOf(environment, values.url);
  const secret = values.secret ?? newSecret();
  const key = signingKey(secret);
  const stopping = new AbortController();
  void untilSignal().then(() => stopping.abort());

  console.log(`Forwarding events of ${server.url} to ${target}`);
  if (values.secret === undefined) console.log(`They are signed with ${secret}`);
  const events = streamEvents(server, {
    types: values.type,
    since: values.since,
    signal: stopping.signal,
    lost: (reason) => console.error(`  (${reason})`),
  });
  for await (const event of events) {
    const { ok, outcome, durationMs } = await forward(target, key, event);
    const name = String(event.event.sync_name ?? '');
    console.log(
      `${event.created_at}  ${event.type.padEnd(30)} ${ok ? '→' : '✗'} ${outcome} (${Math.round(durationMs)} ms)  ${name}`,
    );
  }
  return 0;
}
