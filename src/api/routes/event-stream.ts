import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { messageOf, TidemarkError } from '../../errors.ts';
import { type Following, followEvents } from '../../events/index.ts';
import { limits } from '../../limits.ts';
import { EventStreamQuery } from '../../schema/event.ts';
import type { App } from '../app.ts';
import { callerOf } from '../authentication.ts';
import { CredentialWatch } from '../credential-watch.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { eventTypesParameter, namedOrganization, timestampParameter } from '../query.ts';
import { presentEvent } from './events.ts';

const { most: perOrganization } = limits.request.streams;

/** Milliseconds. */
const heartbeat = 15_000;
/** How long a client may leave what it was sent in the socket before it is cut off. */
const patience = 30_000;

/** Server-sent events; docs/event-stream.md is the protocol. */
export function eventStreamRoutes(app: App, deps: ApiDependencies): void {
  const { eventFeed, eventLog, eventRetention } = deps;
  const open = new Map<string, number>();
  const closing = new AbortController();
  const credentials = new CredentialWatch(deps.db, () => deps.streamTimes?.credentials);
  app.addHook('preClose', async () => closing.abort());

  app.get(
    '/api/events/stream',
    {
      // A stream has no head without a body: another method is answered 405.
      exposeHeadRoute: false,
      schema: { operationId: 'events.stream', querystring: EventStreamQuery },
      config: { access: 'any' },
    },
    async (request, reply) => {
      const organizationId = namedOrganization(request, request.query.organization_id);
      const types = eventTypesParameter([...(request.query.type ?? []), ...(request.query.event_type ?? [])]);
      const given = positionOf(request);
      const after = given ?? (await eventLog.end(organizationId));
      const isBehind =
        given !== undefined && (await eventLog.isBehind(organizationId, given, eventRetention));
      const others = open.get(organizationId) ?? 0;
      if (others >= perOrganization) throw new TidemarkError('too_many_streams', { limit: perOrganization });

      open.set(organizationId, others + 1);
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      using credential = credentials.watch(callerOf(request), organizationId);
      const signal = AbortSignal.any([gone.signal, closing.signal, credential.gone]);
      const query = { organizationId, types, after, retention: eventRetention };
      const log = { log: eventLog, feed: eventFeed };
      const following = followEvents(log, query, deps.streamTimes?.heartbeat ?? heartbeat, signal);
      try {
        // Read once before it answers 200: what cannot be read is an error that the client is told.
        let next = await following.next();
        reply.hijack();
        start(reply.raw, reply.getHeaders(), after);
        if (isBehind) sayBehind(reply.raw, after, deps.clock.now() - eventRetention);
        let said = '';
        for (; !next.done; next = await following.next()) {
          const text = frames(next.value, said);
          said = next.value.phase;
          await write(reply.raw, text, deps.streamTimes?.patience ?? patience, signal);
        }
        const revoked = 'the key or the organization is not there any more';
        end(reply.raw, credential.gone.aborted ? revoked : 'the server is stopping; connect again');
      } catch (error) {
        if (!reply.raw.headersSent) throw error;
        const slow = error instanceof SlowConsumer;
        if (!slow) deps.log.warn({ err: error, organization_id: organizationId }, 'events.stream_failed');
        else deps.log.info({ organization_id: organizationId }, 'events.stream_cut_off');
        end(reply.raw, slow ? messageOf(error) : 'the log could not be read; connect again');
      } finally {
        await following.return(undefined);
        const left = (open.get(organizationId) ?? 1) - 1;
        if (left > 0) open.set(organizationId, left);
        else open.delete(organizationId);
      }
    },
  );
}

/** Where to go on: Last-Event-ID, which a client sends by itself when it connects again, else the query. */
function positionOf(
  request: FastifyRequest<{ Querystring: { starting_after?: string } }>,
): string | undefined {
  const header = request.headers['last-event-id'];
  const resumed = timestampParameter('Last-Event-ID', Array.isArray(header) ? header[0] : header);
  return resumed ?? timestampParameter('starting_after', request.query.starting_after);
}

/** An id without data makes no event: it is where the client goes on when it connects again, also before its first event. */
const placeOf = (position: string) => `id: ${position}\n\n`;

/** @param said the phase that was named last. */
function frames({ phase, events, position }: Following, said: string): string {
  const sent = events.map((event) => `id: ${event.createdAt}\ndata: ${presentEvent(event)}\n\n`).join('');
  const place = events.at(-1)?.createdAt === position ? '' : placeOf(position);
  const comment = phase !== said ? `: ${phase}\n\n` : events.length === 0 ? ': heartbeat\n\n' : '';
  return comment + sent + place;
}

function start(response: ServerResponse, headers: Record<string, unknown>, position: string): void {
  const version = headers['x-polytomic-version'];
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    ...(typeof version === 'string' ? { 'x-polytomic-version': version } : {}),
  });
  response.write(`retry: 1000\n\n${placeOf(position)}`);
}

function sayBehind(response: ServerResponse, position: string, oldest: number): void {
  const data = { position, oldest_available_at: new Date(oldest).toISOString() };
  response.write(`event: behind\ndata: ${JSON.stringify(data)}\n\n`);
}

class SlowConsumer extends Error {}

/** Waits until the client has taken what is in the socket: the log is read no faster than it is consumed. */
async function write(
  response: ServerResponse,
  text: string,
  within: number,
  signal: AbortSignal,
): Promise<void> {
  if (text === '' || response.write(text)) return;
  const tooLong = AbortSignal.timeout(within);
  await once(response, 'drain', { signal: AbortSignal.any([tooLong, signal]) }).catch((error: unknown) => {
    if (signal.aborted) return;
    if (tooLong.aborted) {
      throw new SlowConsumer(`nothing was read for ${within / 1000} s; connect again from the last event`);
    }
    throw error;
  });
}

/** Says why, if the client still listens, and gives the socket up soon after. */
function end(response: ServerResponse, reason: string): void {
  if (response.destroyed) return;
  response.end(`event: closed\ndata: ${JSON.stringify({ reason })}\n\n`);
  setTimeout(() => response.destroy(), 2000).unref();
}
