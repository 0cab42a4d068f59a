import { setTimeout as pause } from 'node:timers/promises';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { ConfigError } from '../../config.ts';
import { messageOf } from '../../errors.ts';
import type { ServerAccess } from '../client.ts';

export interface StreamedEvent {
  id: string;
  organization_id: string;
  type: string;
  created_at: string;
  event: Record<string, unknown>;
  /** The payload's JSON as it came: what is signed and forwarded. */
  raw: string;
}

export interface StreamOptions {
  types: readonly string[];
  /** RFC 3339; undefined: from now on. */
  since: string | undefined;
  signal: AbortSignal;
  /** Told when the stream was lost and is opened again. */
  lost(reason: string): void;
}

/** Milliseconds until the stream is opened again. */
const again = 1000;

/** An organization's events, for ever: a stream that breaks is opened again after the last event it gave. */
export async function* streamEvents(
  server: ServerAccess,
  options: StreamOptions,
): AsyncGenerator<StreamedEvent> {
  let position = options.since;
  while (!options.signal.aborted) {
    try {
      const frames = await open(server, options, position);
      for await (const { id, event, data } of frames) {
        if (event === 'closed') options.lost((JSON.parse(data) as { reason: string }).reason);
        if (event === 'behind') options.lost(`events are missing: the position is too old (${data})`);
        if (event !== undefined) continue;
        position = id ?? position;
        yield parse(data);
      }
    } catch (error) {
      if (options.signal.aborted) return;
      if (error instanceof ConfigError) throw error;
      options.lost(messageOf(error));
    }
    await pause(again, undefined, { signal: options.signal }).catch(() => {});
  }
}

async function open(
  { url, apiKey }: ServerAccess,
  { types, signal }: StreamOptions,
  position: string | undefined,
) {
  const query = new URLSearchParams(types.map((type) => ['type', type] as [string, string]));
  const response = await fetch(`${url}/api/events/stream?${query}`, {
    headers: {
      authorization: `Bearer ${apiKey}`,
      ...(position === undefined ? {} : { 'last-event-id': position }),
    },
    signal,
  });
  if (response.status >= 400 && response.status < 500) {
    throw new ConfigError(((await response.json()) as { message: string }).message);
  }
  if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`);
  return response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
}

/** Cuts the payload out as it stands: writing the parsed object anew could change a number's digits. */
function parse(data: string): StreamedEvent {
  const parsed = JSON.parse(data) as Omit<StreamedEvent, 'raw'>;
  const start = data.indexOf('"event":', data.indexOf('"created_at":')) + '"event":'.length;
  return { ...parsed, raw: data.slice(start, -1) };
}
