import type { Environment } from '../command.ts';
import { printable } from '../printable.ts';
import { untilSignal } from '../until-signal.ts';
import { checkTime, checkTypes } from './options.ts';
import { serverOf } from './server.ts';
import { type StreamedEvent, streamEvents } from './stream.ts';

/** What every command that follows the log takes. */
export const streamOptions = {
  type: { takes: 'type', many: true, text: 'Only events of this type, such as sync.failed.' },
  since: { takes: 'time', text: 'From this RFC 3339 time on, instead of from now.' },
  url: { takes: 'url', text: 'The server, instead of the one of the data directory.' },
} as const;

/** Follows the log until SIGINT or SIGTERM; a lost connection is reported on stderr and opened again. @throws ConfigError */
export async function openStream(
  values: { type: string[]; since?: string | undefined; url?: string | undefined },
  environment: Environment,
): Promise<{ url: string; stream: AsyncIterable<StreamedEvent> }> {
  checkTypes(values.type);
  checkTime('--since', values.since);
  const server = await serverOf(environment, values.url);
  const stopping = new AbortController();
  void untilSignal().then(() => stopping.abort());
  const stream = streamEvents(server, {
    types: values.type,
    since: values.since,
    signal: stopping.signal,
    lost: (reason) => console.error(`  (${printable(reason)})`),
  });
  return { url: server.url, stream };
}
