import { type Static, Type } from 'typebox';
import { TidemarkError } from '../../errors.ts';
import { isEventType } from '../../events/index.ts';
import { isUuid, nameBasedUuid } from '../../lib/uuid.ts';
import { IdParameter, perPage } from '../../schema/parameters.ts';
import {
  type Attempt,
  AttemptsQuery,
  DeliveriesQuery,
  Delivery,
  DeliveryParameters,
  DeliveryWithAttempts,
  ListedAttempt,
  Recovered,
  RecoverRequest,
  TestRequest,
  TestResult,
} from '../../schema/webhook.ts';
import {
  type DeliveryStatus,
  deliveryStatuses,
  getDelivery,
  getWebhook,
  listAttempts,
  listDeliveries,
  type RecordedAttempt,
  recoverDeliveries,
  resendDelivery,
  type ListedAttempt as StoredAttempt,
  type Delivery as StoredDelivery,
  sendTest,
} from '../../webhooks/index.ts';
import type { App } from '../app.ts';
import { organizationOf } from '../authentication.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { eventTypesParameter, timestampParameter } from '../query.ts';

/** What became of every delivery, and sending again. */
export function webhookDeliveryRoutes(app: App, deps: ApiDependencies): void {
  const { db, eventRetention: retention } = deps;

  app.get(
    '/api/webhooks/:id/event-deliveries',
    {
      schema: {
        operationId: 'webhooks.deliveries.list',
        params: IdParameter,
        querystring: DeliveriesQuery,
        response: {
          200: Type.Object({
            data: Type.Array(Delivery),
            pagination: Type.Object({ next_page_token: Type.Optional(Type.String()) }),
          }),
        },
      },
    },
    async (request) => {
      const { query, params } = request;
      const webhook = await getWebhook(db, organizationOf(request), params.id);
      const { deliveries, nextPageToken } = await listDeliveries(db, {
        webhookId: webhook.id,
        status: statusOf(query.status),
        eventTypes: eventTypesParameter(query.type),
        after: timestampParameter('starting_after', query.starting_after),
        before: timestampParameter('ending_before', query.ending_before),
        limit: query.limit ?? perPage,
        pageToken: query.page_token || undefined,
        retention,
      });
      const pagination = nextPageToken === undefined ? {} : { next_page_token: nextPageToken };
      return { data: deliveries.map(present), pagination };
    },
  );

  app.get(
    '/api/webhooks/:id/deliveries',
    {
      schema: {
        operationId: 'webhooks.listDeliveries',
        params: IdParameter,
        querystring: AttemptsQuery,
        response: {
          200: Type.Object({
            data: Type.Array(ListedAttempt),
            pagination: Type.Object({ next_page_token: Type.Optional(Type.String()) }),
          }),
        },
      },
    },
    async (request) => {
      const { query, params } = request;
      const webhook = await getWebhook(db, organizationOf(request), params.id);
      const eventId = query.event_id || undefined;
      if (eventId !== undefined && !isUuid(eventId)) {
        throw new TidemarkError('invalid_field', { field: 'event_id', reason: 'is no UUID' });
      }
      const { attempts, nextPageToken } = await listAttempts(db, {
        webhookId: webhook.id,
        success: query.success,
        eventId,
        start: timestampParameter('start', query.start),
        end: timestampParameter('end', query.end),
        limit: query.limit ?? perPage,
        pageToken: query.page_token || undefined,
        retention,
      });
      const pagination = nextPageToken === undefined ? {} : { next_page_token: nextPageToken };
      return { data: attempts.map(presentListed), pagination };
    },
  );

  const one = { params: DeliveryParameters, response: { 200: Type.Object({ data: DeliveryWithAttempts }) } };
  const read = async (webhookId: string, deliveryId: string) => {
    const delivery = await getDelivery(db, webhookId, deliveryId, retention);
    return { data: { ...present(delivery), attempts: delivery.attemptLog.map(presentAttempt) } };
  };
  app.get(
    '/api/webhooks/:id/deliveries/:delivery_id',
    { schema: { operationId: 'webhooks.deliveries.get', ...one } },
    async (request) => {
      const webhook = await getWebhook(db, organizationOf(request), request.params.id);
      return await read(webhook.id, request.params.delivery_id);
    },
  );
  app.post(
    '/api/webhooks/:id/deliveries/:delivery_id/resend',
    { schema: { operationId: 'webhooks.deliveries.resend', ...one } },
    async (request) => {
      const webhook = await getWebhook(db, organizationOf(request), request.params.id);
      const { id } = await getDelivery(db, webhook.id, request.params.delivery_id, retention);
      await resendDelivery(db, webhook.id, id);
      return await read(webhook.id, id);
    },
  );
  app.post(
    '/api/webhooks/:id/recover',
    {
      schema: {
        operationId: 'webhooks.recover',
        params: IdParameter,
        body: RecoverRequest,
        response: { 200: Type.Object({ data: Recovered }) },
      },
    },
    async (request) => {
      const webhook = await getWebhook(db, organizationOf(request), request.params.id);
      const since = timestampParameter('since', request.body.since);
      if (since === undefined) {
        throw new TidemarkError('unprocessable', { reason: 'since: takes an RFC 3339 timestamp' });
      }
      return { data: await recoverDeliveries(db, webhook.id, since, retention) };
    },
  );
  app.post(
    '/api/webhooks/:id/test',
    {
      schema: {
        operationId: 'webhooks.test',
        params: IdParameter,
        body: Type.Optional(TestRequest),
        response: { 200: Type.Object({ data: TestResult }) },
      },
      config: { looks: true },
    },
    async (request) => {
      const webhook = await getWebhook(db, organizationOf(request), request.params.id);
      const type = eventTypesParameter([request.body?.type ?? ''])?.[0] ?? 'sync.completed';
      if (!isEventType(type)) throw new TidemarkError('unprocessable', { reason: `type: ${type} is none` });
      const { eventId, payload, attempt } = await sendTest(deps, webhook.id, type);
      const delivered = attempt.error === null;
      return { data: { event_id: eventId, type, payload, delivered, attempt: presentAttempt(attempt) } };
    },
  );
}

function statusOf(text: string | undefined): DeliveryStatus | undefined {
  if (text === undefined || text === '') return undefined;
  const status = deliveryStatuses.find((known) => known === text);
  if (status !== undefined) return status;
  throw new TidemarkError('unprocessable', {
    reason: `status: ${text} is none of ${deliveryStatuses.join(', ')}`,
  });
}

function present(delivery: StoredDelivery): Static<typeof Delivery> {
  return {
    id: delivery.id,
    webhook_id: delivery.webhookId,
    organization_id: delivery.organizationId,
    event_id: delivery.eventId,
    event_type: delivery.eventType,
    status: delivery.status,
    attempt_count: delivery.attempts,
    created_at: delivery.createdAt,
    updated_at: delivery.updatedAt,
    next_attempt_at: delivery.nextAttemptAt,
  };
}

/** What is not there is left out: clients have no null here. */
function presentListed(attempt: StoredAttempt): Static<typeof ListedAttempt> {
  const { deliveryId, number, statusCode, milliseconds, body, error, errorCode, endpoint } = attempt;
  return {
    id: nameBasedUuid(deliveryId, String(number)),
    event_id: attempt.eventId,
    event_type: attempt.eventType,
    attempted_at: attempt.startedAt,
    success: errorCode === null,
    ...(statusCode === null ? {} : { status_code: statusCode }),
    ...(milliseconds === null ? {} : { duration_ms: Math.round(milliseconds) }),
    ...(body === null ? {} : { response_body: body.toString('utf8') }),
    ...(error === null ? {} : { error }),
    ...(errorCode === null ? {} : { error_kind: errorCode }),
    delivery_id: deliveryId,
    attempt: number,
    ...(endpoint === null ? {} : { endpoint }),
  };
}

function presentAttempt({ timing, headers, body, ...attempt }: RecordedAttempt): Static<typeof Attempt> {
  return {
    number: attempt.number,
    started_at: attempt.startedAt,
    endpoint: attempt.endpoint,
    status_code: attempt.statusCode,
    error_code: attempt.errorCode,
    error: attempt.error,
    duration_ms: {
      dns: round(timing.dns),
      connect: round(timing.connect),
      tls: round(timing.tls),
      first_byte: round(timing.firstByte),
      total: round(timing.total),
    },
    response: headers === null ? null : { headers, ...readable(body ?? Buffer.alloc(0)) },
  };
}

/** To a hundredth of a millisecond. */
function round(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 100) / 100;
}

function readable(body: Buffer): { body: string; body_encoding: string } {
  const text = body.toString('utf8');
  return Buffer.from(text).equals(body)
    ? { body: text, body_encoding: 'utf-8' }
    : { body: body.toString('base64'), body_encoding: 'base64' };
}
