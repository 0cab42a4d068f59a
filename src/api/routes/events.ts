import { TidemarkError } from '../../errors.ts';
import { type EventQuery, eventTypes, listEvents } from '../../events/index.ts';
import { isTimestamp } from '../../lib/timestamp.ts';
import { EventsQuery } from '../../schema/event.ts';
import type { App } from '../app.ts';
import { organizationOf } from '../authentication.ts';
import type { ApiDependencies } from '../dependencies.ts';

export function eventRoutes(app: App, { db, eventRetention }: ApiDependencies): void {
  app.get(
    '/api/events',
    { schema: { operationId: 'events.list', querystring: EventsQuery } },
    async (request, reply) => {
      const organizationId = organizationOf(request);
      const events = await listEvents(db, {
        ...queryOf(request.query, organizationId),
        retention: eventRetention,
      });
      // The payload is sent byte for byte as it was stored and signed, not parsed and written again.
      const items = events.map(({ event, ...rest }) => {
        const head = {
          id: rest.id,
          organization_id: rest.organizationId,
          type: rest.type,
          created_at: rest.createdAt,
        };
        return `${JSON.stringify(head).slice(0, -1)},"event":${event}}`;
      });
      return reply.type('application/json; charset=utf-8').send(`{"data":[${items.join(',')}]}`);
    },
  );
  app.get('/api/events_types', { schema: { operationId: 'events.getTypes' } }, async () => ({
    data: eventTypes,
  }));
}

function queryOf(query: EventsQuery, organizationId: string): Omit<EventQuery, 'retention'> {
  if (query.organization_id !== undefined && query.organization_id !== organizationId) {
    throw new TidemarkError('forbidden', {
      reason: 'organization_id: this credential belongs to another organization',
    });
  }
  const type = query.type ?? query.event_type;
  if (type !== undefined && !eventTypes.some((known) => known === type)) {
    throw new TidemarkError('unprocessable', { reason: `type: ${type} is none of ${eventTypes.join(', ')}` });
  }
  const limit = query.limit ?? 10;
  if (limit < 1 || limit > 100) throw new TidemarkError('unprocessable', { reason: 'limit: takes 1 to 100' });
  return {
    organizationId,
    type,
    startingAfter: timestamp('starting_after', query.starting_after),
    endingBefore: timestamp('ending_before', query.ending_before),
    limit,
  };
}

function timestamp(field: string, text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  // An unescaped + of an offset arrives as a space.
  const repaired = text.replace(/ (\d{2}:?\d{2})$/, '+$1');
  if (isTimestamp(repaired)) return repaired;
  throw new TidemarkError('unprocessable', { reason: `${field}: ${text} is no RFC 3339 timestamp` });
}
