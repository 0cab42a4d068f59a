import { setTimeout as pause } from 'node:timers/promises';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
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
  /** Milliseconds until it is opened again, 1,000 when left out; doubled while it cannot be, up to the longest pause. */
  firstPause?: number;
}

/** Milliseconds. */
const longestPause = 30_000;
/** Milliseconds without a stream after which nobody is served by waiting on. */
const patience = 600_000;

/**
 * An organization's events, for ever: a stream that breaks is opened again where it was, also before its first event.
 *
 * @throws ConfigError when the server cannot be reached at first, refuses, or stays away.
 */
export async function* streamEvents(
  server: ServerAccess,
  options: StreamOptions,
): AsyncGenerator<StreamedEvent> {
  const { firstPause = 1000 } = options;
  let position = options.since;
  let pauseMs = firstPause;
  let away: number | undefined = Number.NEGATIVE_INFINITY;
  while (!options.signal.aborted) {
    try {
      const frames = await open(server, options, position);
      away = undefined;
      pauseMs = firstPause;
      for await (const { id, event, data } of frames) {
        position = id ?? position;
        if (data === undefined) continue;
        if (event === 'closed') options.lost((JSON.parse(data) as { reason: string }).reason);
        if (event === 'behind') options.lost(`events are missing: the position is too old (${data})`);
        if (event === undefined) yield parse(data);
      }
    } catch (error) {
      if (options.signal.aborted) return;
      if (error instanceof ConfigError) throw error;
      const reason = reasonOf(error);
      away ??= performance.now();
      if (performance.now() - away > patience) {
        throw new ConfigError(`${server.url} does not answer (${reason}): is the server running?`);
      }
      options.lost(`${reason}; trying again in ${pauseMs / 1000} s`);
    }
    await pause(pauseMs, undefined, { signal: options.signal }).catch(() => {});
    if (away !== undefined) pauseMs = Math.min(pauseMs * 2, longestPause);
  }
}

/** `fetch` says "fetch failed"; why is in its cause. */
function reasonOf(error: unknown): string {
  return messageOf(error instanceof Error && error.cause instanceof Error ? error.cause : error);
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
    throw new ConfigError(refusal(url, response.status, await response.text()));
  }
  if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`);
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    throw new ConfigError(`${url} answered with no stream of events: is it a Tidemark server?`);
  }
  return framesOf(response.body);
}

type Frame = Pick<EventSourceMessage, 'id' | 'event'> & { data?: string };

/** Events, and ids without data, which say where to go on; never such an id before an event that came before it. */
async function* framesOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<Frame> {
  const events: Frame[] = [];
  let id: string | undefined;
  const parser = createParser({
    onEvent: (event) => events.push(event),
    onId: (given) => {
      id = given;
    },
  });
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    parser.feed(text);
    yield* events.splice(0);
    yield { id };
  }
}

/** What stands in front of a server may refuse with a page of its own. */
function refusal(url: string, status: number, text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: string };
    if (typeof message === 'string') return `${url}: ${message}`;
  } catch {
    // Not an answer of Tidemark's: its status says what there is to say.
  }
  return `${url} answered ${status}: is it a Tidemark server?`;
}

/** Cuts the payload out as it stands: writing the parsed object anew could change a number's digits. */
function parse(data: string): StreamedEvent {
  const parsed = JSON.parse(data) as Omit<StreamedEvent, 'raw'>;
  const start = data.indexOf('"event":', data.indexOf('"created_at":')) + '"event":'.length;
  return { ...parsed, raw: data.slice(start, -1) };
}
