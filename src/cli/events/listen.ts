import { readConfig } from '../../config.ts';
import { signingKey } from '../../webhooks/index.ts';
import { command } from '../command.ts';
import { printable } from '../printable.ts';
import { forward, newSecret } from './forward.ts';
import { openStream, streamOptions } from './open-stream.ts';
import { checkUrl, forwardOptions } from './options.ts';

export const listen = command({
  name: 'listen',
  summary: 'Forwards events, signed like webhook deliveries, to a local endpoint.',
  details: ['For the time in which you write a receiver. One line for each event says what came of it.'],
  options: {
    'forward-to': { ...forwardOptions['forward-to'], required: true },
    secret: forwardOptions.secret,
    ...streamOptions,
  },
  async run({ options }, environment) {
    const target = checkUrl('--forward-to', options['forward-to']);
    const given = options.secret ?? readConfig(environment).webhookSecret;
    const { url, stream } = await openStream(options, environment);
    const secret = given ?? newSecret();
    const key = signingKey(secret);

    console.log(`Forwarding events of ${url} to ${target}`);
    if (given === undefined) console.log(`They are signed with ${secret}`);
    for await (const event of stream) {
      const { ok, outcome, durationMs } = await forward(target, key, event);
      const name = printable(String(event.event.sync_name ?? ''));
      console.log(
        `${event.created_at}  ${event.type.padEnd(30)} ${ok ? '→' : '✗'} ${printable(outcome)} (${Math.round(durationMs)} ms)  ${name}`,
      );
    }
    return 0;
  },
});
