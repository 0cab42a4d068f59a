import type { Database } from '../db/index.ts';
import { keptSince } from '../events/index.ts';
import { isTimestamp } from '../lib/timestamp.ts';
import { isUuid } from '../lib/uuid.ts';
import { decodePageToken, encodePageToken } from '../schema/page-token.ts';

/** One request to an endpoint, with the event that it was for. */
export interface ListedAttempt {
  deliveryId: string;
  /** From 1, within its delivery. */
  number: number;
  eventId: string;
  eventType: string;
  startedAt: string;
  endpoint: string | null;
  statusCode: number | null;
  errorCode: string | null;
  error: string | null;
  milliseconds: number | null;
  body: Buffer | null;
}

export interface AttemptPage {
  webhookId: string;
  success?: boolean | undefined;
  eventId?: string | undefined;
  /** RFC 3339, of the attempt; the beginning included, the end not. */
  start?: string | undefined;
  end?: string | undefined;
  limit: number;
  pageToken?: string | undefined;
  /** Milliseconds. */
  retention: number;
}

/** Newest attempt first, whatever the age of its event. @throws invalid_field for a page token of something else. */
export async function listAttempts(
  db: Database,
  page: AttemptPage,
): Promise<{ attempts: ListedAttempt[]; nextPageToken: string | undefined }> {
  let query = db
    .selectFrom('webhook_attempts as a')
    .innerJoin('webhook_deliveries as d', (join) =>
      join.onRef('d.webhook_id', '=', 'a.webhook_id').onRef('d.created_at', '=', 'a.created_at'),
    )
    .select([
      'a.delivery_id as deliveryId',
      'a.attempt as number',
      'd.event_id as eventId',
      'd.event_type as eventType',
      'a.started_at as startedAt',
      'a.endpoint',
      'a.status_code as statusCode',
      'a.error_code as errorCode',
      'a.error',
      'a.duration_ms as milliseconds',
      'a.response_body as body',
    ])
    .where('a.webhook_id', '=', page.webhookId)
    .where('a.created_at', '>', keptSince(page.retention))
    .orderBy('a.started_at', 'desc')
    .orderBy('a.delivery_id', 'desc')
    .orderBy('a.attempt', 'desc')
    .limit(page.limit + 1);
  if (page.success !== undefined) query = query.where('a.error_code', page.success ? 'is' : 'is not', null);
  if (page.eventId !== undefined) {
    // A delivery has the time of its event, by which it is found.
    query = query.where('d.event_id', '=', page.eventId).where('a.created_at', '=', (of) =>
      of
        .selectFrom('events')
        .select('created_at')
        .where('id', '=', page.eventId ?? null),
    );
  }
  if (page.start !== undefined) query = query.where('a.started_at', '>=', page.start);
  if (page.end !== undefined) query = query.where('a.started_at', '<', page.end);
  if (page.pageToken !== undefined) {
    const [at = '', delivery = '', attempt = ''] = decodePageToken(
      page.pageToken,
      isTimestamp,
      isUuid,
      (part) => /^\d{1,9}$/.test(part),
    );
    query = query.where((of) =>
      of(
        of.refTuple('a.started_at', 'a.delivery_id', 'a.attempt'),
        '<',
        of.tuple(at, delivery, Number(attempt)),
      ),
    );
  }
  const rows = await query.execute();
  const attempts = rows.slice(0, page.limit);
  const last = attempts.at(-1);
  const more = rows.length > page.limit && last !== undefined;
  return {
    attempts,
    nextPageToken: more ? encodePageToken([last.startedAt, last.deliveryId, String(last.number)]) : undefined,
  };
}
