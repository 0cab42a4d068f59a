import type { Environment } from '../index.ts';
import { untilSignal } from '../until-signal.ts';
import { checkTypes } from './options.ts';
import { serverOf } from './server.ts';
import { type StreamedEvent, streamEvents } from './stream.ts';

/** What every command that follows the log takes. */
export const streamOptions = {
  type: { type: 'string', multiple: true, default: [] as string[] },
  since: { type: 'string' },
  url: { type: 'string' },
} as const;

/** Follows the log until SIGINT or SIGTERM; a lost connection is said on stderr and made anew. @throws ConfigError */
export async function openStream(
  values: { type: string[]; since?: string | undefined; url?: string | undefined },
  environment: Environment,
): Promise<{ url: string; stream: AsyncIterable<StreamedEvent> }> {
  checkTypes(values.type);
  const server = await serverOf(environment, values.url);
  const stopping = new AbortController();
  void untilSignal().then(() => stopping.abort());
  const stream = streamEvents(server, {
    types: values.type,
    since: values.since,
    signal: stopping.signal,
    lost: (reason) => console.error(`  (${reason})`),
  });
  return { url: server.url, stream };
}
