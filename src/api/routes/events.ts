import { Type } from 'typebox';
import { notFound, TidemarkError } from '../../errors.ts';
import {
  type EventPage,
  type EventQuery,
  eventTypes,
  exactPage,
  type ListedEvent,
  pageForCut,
} from '../../events/index.ts';
import { isTimestamp } from '../../lib/timestamp.ts';
import { Event, EventsPage, EventsQuery } from '../../schema/event.ts';
import { decodePageToken, encodePageToken } from '../../schema/page-token.ts';
import { IdParameter } from '../../schema/parameters.ts';
import type { App } from '../app.ts';
import { callerOf, organizationOf } from '../authentication.ts';
import { CredentialWatch } from '../credential-watch.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { eventTypesParameter, namedOrganization, timestampParameter } from '../query.ts';
import { sendJson } from '../send-json.ts';

export function eventRoutes(app: App, deps: ApiDependencies): void {
  const { clock, eventFeed, eventLog, eventRetention: retention } = deps;
  const closing = new AbortController();
  app.addHook('preClose', async () => closing.abort());
  const credentials = new CredentialWatch(deps.db, () => deps.streamTimes?.credentials);
  app.get(
    '/api/events',
    {
      schema: { operationId: 'events.list', querystring: EventsQuery, response: { 200: EventsPage } },
      config: { access: 'any' },
    },
    async (request, reply) => {
      const query = { ...queryOf(request.query), retention };
      const organizationId = namedOrganization(request, request.query.organization_id);
      const wait = request.query.wait ?? 0;
      if (wait > 0 && !query.ascending) {
        throw new TidemarkError('unprocessable', {
          reason: 'wait: needs starting_after or a page_token that goes forward',
        });
      }
      // A token is exact: clients do not cut it.
      const pageOf = request.query.page_token ? exactPage : pageForCut;
      const read = () => pageOf(eventLog, { ...query, organizationId });
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      // A server that stops answers with what there is.
      const over = AbortSignal.any([gone.signal, closing.signal]);
      const deadline = performance.now() + wait * 1000;
      // Subscribed before the first read: an event that commits right after it wakes us.
      using subscription = wait > 0 ? eventFeed.subscribe(organizationId) : undefined;
      using credential = wait > 0 ? credentials.watch(callerOf(request), organizationId) : undefined;
      let found = await read();
      while (subscription !== undefined && found.events.length === 0) {
        const left = deadline - performance.now();
        if (left <= 0 || over.aborted) break;
        await subscription.wait(left, AbortSignal.any([over, ...(credential ? [credential.gone] : [])]));
        if (credential?.gone.aborted) throw new TidemarkError('unauthorized');
        found = await read();
      }
      return sendJson(reply, page(found, query, clock.now()));
    },
  );
  app.get(
    '/api/events/:id',
    {
      schema: {
        operationId: 'events.get',
        params: IdParameter,
        response: { 200: Type.Object({ data: Event }) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const event = await eventLog.find(organizationOf(request), id, retention);
      if (event === undefined) throw notFound('event', id);
      return sendJson(reply, `{"data":${presentEvent(event)}}`);
    },
  );
  app.get('/api/events_types', { schema: { operationId: 'events.getTypes' } }, async () => ({
    data: eventTypes,
  }));
}

/** The payload is sent byte for byte as it was stored and signed, not parsed and written again. */
export function presentEvent({ id, organizationId, type, createdAt, event }: ListedEvent): string {
  const head = { id, organization_id: organizationId, type, created_at: createdAt };
  return `${JSON.stringify(head).slice(0, -1)},"event":${event}}`;
}

type PageQuery = Omit<EventQuery, 'organizationId'>;

/** A page forward always has a token, also when nothing is there yet: a poller goes on from it. */
function page(
  { events, hasMore, position }: EventPage,
  { retention, ascending, before }: PageQuery,
  now: number,
): string {
  const token =
    position !== undefined && (ascending || hasMore)
      ? encodePageToken([ascending ? 'after' : 'before', position, ascending ? (before ?? '') : ''])
      : undefined;
  const pagination = {
    ...(token === undefined ? {} : { next_page_token: token }),
    has_more: hasMore,
    oldest_available_at: new Date(now - retention).toISOString(),
  };
  return `{"data":[${events.map(presentEvent).join(',')}],"pagination":${JSON.stringify(pagination)}}`;
}

function queryOf(query: EventsQuery): Omit<PageQuery, 'retention'> {
  const types = eventTypesParameter([...(query.type ?? []), ...(query.event_type ?? [])]);
  const limit = query.limit ?? 10;
  // A token was made from the bounds of the first request; clients that repeat them mean the same.
  if (query.page_token) return { types, limit, ...positionOf(query.page_token) };
  const after = timestampParameter('starting_after', query.starting_after);
  const before = timestampParameter('ending_before', query.ending_before);
  return { types, limit, after, before, ascending: after !== undefined };
}

function positionOf(token: string): Pick<EventQuery, 'after' | 'before' | 'ascending'> {
  const [direction, position = '', bound = ''] = decodePageToken(
    token,
    (part) => part === 'after' || part === 'before',
    isTimestamp,
    (part) => part === '' || isTimestamp(part),
  );
  return direction === 'after'
    ? { ascending: true, after: position, before: bound || undefined }
    : { ascending: false, before: position };
}
