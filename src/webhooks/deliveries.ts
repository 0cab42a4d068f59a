import { sql } from 'kysely';
import type { Database } from '../db/index.ts';
import type { Timing } from '../egress/index.ts';
import { notFound } from '../errors.ts';
import { keptSince } from '../events/index.ts';
import { isTimestamp } from '../lib/timestamp.ts';
import { isUuid } from '../lib/uuid.ts';
import { decodePageToken, encodePageToken } from '../schema/page-token.ts';
import type { AttemptResult } from './send.ts';

export const deliveryStatuses = ['pending', 'delivered', 'failed', 'canceled'] as const;
export type DeliveryStatus = (typeof deliveryStatuses)[number];

/** One event on its way to one webhook. */
export interface Delivery {
  id: string;
  webhookId: string;
  organizationId: string;
  eventId: string;
  eventType: string;
  status: DeliveryStatus;
  /** Attempts counted so far, one under way included. */
  attempts: number;
  /** The event's. */
  createdAt: string;
  updatedAt: string;
  /** Null when none is due, or one is under way. */
  nextAttemptAt: string | null;
}

/** One that was never recorded by its worker has neither endpoint nor duration. */
export interface RecordedAttempt extends Omit<AttemptResult, 'started' | 'endpoint' | 'timing'> {
  /** From 1. */
  number: number;
  startedAt: string;
  endpoint: string | null;
  timing: { [part in keyof Timing]: number | null };
}

export interface DeliveryPage {
  webhookId: string;
  status?: DeliveryStatus | undefined;
  eventTypes?: readonly string[] | undefined;
  /** RFC 3339, of the event; both strict. */
  after?: string | undefined;
  before?: string | undefined;
  limit: number;
  pageToken?: string | undefined;
  /** Milliseconds. */
  retention: number;
}

function select(db: Database, webhookId: string, retention: number) {
  return db
    .selectFrom('webhook_deliveries as d')
    .leftJoin('webhook_queue as q', (join) =>
      join.onRef('q.webhook_id', '=', 'd.webhook_id').onRef('q.created_at', '=', 'd.created_at'),
    )
    .select([
      'd.id',
      'd.webhook_id as webhookId',
      'd.organization_id as organizationId',
      'd.event_id as eventId',
      'd.event_type as eventType',
      sql<DeliveryStatus>`d.status`.as('status'),
      sql<number>`coalesce(q.attempts, d.attempts)`.as('attempts'),
      'd.created_at as createdAt',
      'd.updated_at as updatedAt',
      sql<string | null>`case when q.worker_id is null then q.due_at end`.as('nextAttemptAt'),
    ])
    .where('d.webhook_id', '=', webhookId)
    .where('d.created_at', '>', keptSince(retention));
}

/** Newest event first. @throws invalid_field for a page token of something else. */
export async function listDeliveries(
  db: Database,
  page: DeliveryPage,
): Promise<{ deliveries: Delivery[]; nextPageToken: string | undefined }> {
  let query = select(db, page.webhookId, page.retention)
    .orderBy('d.created_at', 'desc')
    .limit(page.limit + 1);
  if (page.status !== undefined) query = query.where('d.status', '=', page.status);
  if (page.eventTypes !== undefined) query = query.where('d.event_type', 'in', page.eventTypes);
  if (page.after !== undefined) query = query.where('d.created_at', '>', page.after);
  if (page.before !== undefined) query = query.where('d.created_at', '<', page.before);
  if (page.pageToken !== undefined) {
    const [last = ''] = decodePageToken(page.pageToken, isTimestamp);
    query = query.where('d.created_at', '<', last);
  }
  const rows = await query.execute();
  const deliveries = rows.slice(0, page.limit);
  const last = deliveries.at(-1);
  const more = rows.length > page.limit && last !== undefined;
  return { deliveries, nextPageToken: more ? encodePageToken([last.createdAt]) : undefined };
}

/** @throws not_found */
export async function getDelivery(
  db: Database,
  webhookId: string,
  id: string,
  retention: number,
): Promise<Delivery & { attemptLog: RecordedAttempt[] }> {
  if (!isUuid(id)) throw notFound('delivery', id);
  const delivery = await select(db, webhookId, retention).where('d.id', '=', id).executeTakeFirst();
  if (delivery === undefined) throw notFound('delivery', id);
  const rows = await db
    .selectFrom('webhook_attempts')
    .select([
      'attempt as number',
      'started_at as startedAt',
      'endpoint',
      'status_code as statusCode',
      'error_code as errorCode',
      'error',
      'dns_ms as dns',
      'connect_ms as connect',
      'tls_ms as tls',
      'first_byte_ms as firstByte',
      'duration_ms as total',
      sql<Record<string, string> | null>`response_headers`.as('headers'),
      'response_body as body',
    ])
    .where('created_at', '=', delivery.createdAt)
    .where('delivery_id', '=', id)
    .orderBy('attempt')
    .execute();
  const attemptLog = rows.map(({ dns, connect, tls, firstByte, total, ...attempt }) => ({
    ...attempt,
    timing: { dns, connect, tls, firstByte, total },
  }));
  return { ...delivery, attemptLog };
}

export interface WebhookHealth {
  lastSuccessAt: string | null;
  lastFailureAt: string | null;
  /** Attempts that failed since the last success. */
  consecutiveFailures: number;
  /** Deliveries that wait for their first or next attempt, or are under way. */
  pending: number;
}

export async function webhookHealth(db: Database, webhookId: string): Promise<WebhookHealth> {
  const row = await db
    .selectFrom('webhooks as w')
    .leftJoin('webhook_health as h', 'h.webhook_id', 'w.id')
    .select([
      'h.last_success_at as lastSuccessAt',
      'h.last_failure_at as lastFailureAt',
      sql<number>`coalesce(h.consecutive_failures, 0)`.as('consecutiveFailures'),
      sql<number>`(select count(*) from webhook_queue q where q.webhook_id = w.id)`.as('pending'),
    ])
    .where('w.id', '=', webhookId)
    .executeTakeFirst();
  return row ?? { lastSuccessAt: null, lastFailureAt: null, consecutiveFailures: 0, pending: 0 };
}
