import { sql } from 'kysely';
import type { Database, Transaction } from '../db/index.ts';
import { notFound, TidemarkError } from '../errors.ts';
import type { KeyRing } from '../lib/seal.ts';
import { isUuid } from '../lib/uuid.ts';

export interface Webhook {
  id: string;
  organizationId: string;
  endpoint: string;
  disabled: boolean;
  createdAt: string;
}

export interface WebhookSettings {
  endpoint: string;
  /** Kept sealed, never read back through the API. */
  secret: string;
}

const columns = ['id', 'organization_id', 'endpoint', 'disabled', 'created_at'] as const;

function toWebhook(row: {
  id: string;
  organization_id: string;
  endpoint: string;
  disabled: boolean;
  created_at: string;
}): Webhook {
  return {
    id: row.id,
    organizationId: row.organization_id,
    endpoint: row.endpoint,
    disabled: row.disabled,
    createdAt: row.created_at,
  };
}

export async function listWebhooks(db: Database, organizationId: string): Promise<Webhook[]> {
  const rows = await db
    .selectFrom('webhooks')
    .select(columns)
    .where('organization_id', '=', organizationId)
    .execute();
  return rows.map(toWebhook);
}

export async function getWebhook(db: Database, organizationId: string, id: string): Promise<Webhook> {
  if (!isUuid(id)) throw notFound('webhook', id);
  const row = await db
    .selectFrom('webhooks')
    .select(columns)
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst();
  if (row === undefined) throw notFound('webhook', id);
  return toWebhook(row);
}

/** @throws webhook_exists: an organization has one. The unique constraint decides between racing calls. */
export async function createWebhook(
  deps: { db: Database; keyRing: KeyRing },
  organizationId: string,
  settings: WebhookSettings,
): Promise<Webhook> {
  const row = await deps.db
    .insertInto('webhooks')
    .values({ organization_id: organizationId, ...seal(deps.keyRing, settings) })
    .onConflict((conflict) => conflict.column('organization_id').doNothing())
    .returning(columns)
    .executeTakeFirst();
  if (row !== undefined) return toWebhook(row);
  const [existing] = await listWebhooks(deps.db, organizationId);
  throw new TidemarkError('webhook_exists', { webhook_id: existing?.id ?? '' });
}

/** Applies to the next attempt of every delivery, those under way included. */
export async function updateWebhook(
  deps: { db: Database; keyRing: KeyRing },
  organizationId: string,
  id: string,
  settings: WebhookSettings,
): Promise<Webhook> {
  await getWebhook(deps.db, organizationId, id);
  const row = await deps.db
    .updateTable('webhooks')
    .set({ ...seal(deps.keyRing, settings), updated_at: sql<string>`now()` })
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .returning(columns)
    .executeTakeFirst();
  if (row === undefined) throw notFound('webhook', id);
  return toWebhook(row);
}

/** Disabling ends what is pending: it is neither sent nor replayed after enabling. */
export async function setWebhookDisabled(
  db: Database,
  organizationId: string,
  id: string,
  disabled: boolean,
): Promise<Webhook> {
  await getWebhook(db, organizationId, id);
  await db.transaction().execute(async (tx) => {
    await tx
      .updateTable('webhooks')
      .set({ disabled, updated_at: sql<string>`now()` })
      .where('organization_id', '=', organizationId)
      .where('id', '=', id)
      .execute();
    if (disabled) await cancelPending(tx, id);
  });
  return getWebhook(db, organizationId, id);
}

export async function deleteWebhook(db: Database, organizationId: string, id: string): Promise<void> {
  await getWebhook(db, organizationId, id);
  await db.transaction().execute(async (tx) => {
    await tx
      .deleteFrom('webhooks')
      .where('organization_id', '=', organizationId)
      .where('id', '=', id)
      .execute();
    await cancelPending(tx, id);
  });
}

async function cancelPending(tx: Transaction, webhookId: string): Promise<void> {
  await tx
    .updateTable('webhook_deliveries')
    .set({ status: 'canceled', next_attempt_at: null, updated_at: sql<string>`clock_timestamp()` })
    .where('webhook_id', '=', webhookId)
    .where('status', '=', 'pending')
    .execute();
}

function seal(keyRing: KeyRing, { endpoint, secret }: WebhookSettings): { endpoint: string; secret: Buffer } {
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol)) {
    throw new TidemarkError('unprocessable', {
      reason: `endpoint: ${endpoint} is not an http:// or https:// URL`,
    });
  }
  if (secret === '') throw new TidemarkError('unprocessable', { reason: 'secret: must not be empty' });
  return { endpoint, secret: keyRing.seal(secret) };
}
