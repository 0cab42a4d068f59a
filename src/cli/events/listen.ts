import { ConfigError } from '../../config.ts';
import { signingKey } from '../../webhooks/index.ts';
import type { Environment } from '../index.ts';
import { forward, newSecret } from './forward.ts';
import { openStream, streamOptions } from './open-stream.ts';
import { checkUrl, readOptions } from './options.ts';

/** `tidemark listen --forward-to <url>`: an organization's events to a local endpoint, a line for each. */
export async function listen(args: string[], environment: Environment): Promise<number> {
  const { values } = readOptions(args, {
    'forward-to': { type: 'string' },
    secret: { type: 'string' },
    ...streamOptions,
  });
  const target = checkUrl('--forward-to', values['forward-to']);
  if (values.secret === '') throw new ConfigError('--secret: must not be empty');
  const { url, stream } = await openStream(values, environment);
  const secret = values.secret ?? newSecret();
  const key = signingKey(secret);

  console.log(`Forwarding events of ${url} to ${target}`);
  if (values.secret === undefined) console.log(`They are signed with ${secret}`);
  for await (const event of stream) {
    const { ok, outcome, durationMs } = await forward(target, key, event);
    const name = String(event.event.sync_name ?? '');
    console.log(
      `${event.created_at}  ${event.type.padEnd(30)} ${ok ? '→' : '✗'} ${outcome} (${Math.round(durationMs)} ms)  ${name}`,
    );
  }
  return 0;
}
