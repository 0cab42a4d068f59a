import { sql } from 'kysely';
import { mask } from '../connections/index.ts';
import type { Database, Transaction } from '../db/index.ts';
import { notFound, TidemarkError, unprocessable } from '../errors.ts';
import type { KeyRing } from '../lib/seal.ts';
import { isUuid } from '../lib/uuid.ts';
import type { Actor } from '../organizations/index.ts';
import { checkEndpoint, checkSecret } from './settings.ts';

/** How long the secret before a change signs too. */
const overlapHours = 24;
/** Secrets that may sign beside the present one: each is a signature in every request. */
const mostFormer = 8;

export interface Webhook {
  id: string;
  organizationId: string;
  endpoint: string;
  disabled: boolean;
  /** Null while it is enabled; a server of an earlier version disables without. */
  disabledAt: string | null;
  disabledReason: string | null;
  createdAt: string;
}

export interface WebhookSettings {
  endpoint: string;
  /** Kept sealed, never read back through the API. */
  secret: string;
}

const columns = [
  'id',
  'organization_id',
  'endpoint',
  'disabled',
  'disabled_at',
  'disabled_reason',
  'created_at',
] as const;

function toWebhook(row: {
  id: string;
  organization_id: string;
  endpoint: string;
  disabled: boolean;
  disabled_at: string | null;
  disabled_reason: string | null;
  created_at: string;
}): Webhook {
  return {
    id: row.id,
    organizationId: row.organization_id,
    endpoint: row.endpoint,
    disabled: row.disabled,
    disabledAt: row.disabled_at,
    disabledReason: row.disabled_reason,
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
    .values({
      organization_id: organizationId,
      endpoint: checkEndpoint(settings.endpoint),
      secret: deps.keyRing.seal(checkSecret(settings.secret)),
    })
    .onConflict((conflict) => conflict.column('organization_id').doNothing())
    .returning(columns)
    .executeTakeFirst();
  if (row !== undefined) return toWebhook(row);
  const [existing] = await listWebhooks(deps.db, organizationId);
  throw new TidemarkError('webhook_exists', { webhook_id: existing?.id ?? '' });
}

/**
 * Applies to the next attempt of every delivery, those under way included. After a change of the secret the
 * old one signs too for a day, so that no receiver has to change at the same moment. The mask keeps the secret, and so
 * does leaving it out: what was read can be written back.
 */
export async function updateWebhook(
  deps: { db: Database; keyRing: KeyRing },
  organizationId: string,
  id: string,
  settings: Omit<WebhookSettings, 'secret'> & { secret?: string | null | undefined },
): Promise<Webhook> {
  await getWebhook(deps.db, organizationId, id);
  const endpoint = checkEndpoint(settings.endpoint);
  const secret =
    settings.secret == null || settings.secret === mask ? undefined : checkSecret(settings.secret);
  return await deps.db.transaction().execute(async (tx) => {
    const current = await tx
      .selectFrom('webhooks')
      .select('secret')
      .where('organization_id', '=', organizationId)
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirst();
    if (current === undefined) throw notFound('webhook', id);
    const old = opened(deps.keyRing, current.secret);
    const changed = secret !== undefined && secret !== old;
    if (changed && old !== undefined) await keepFormer(tx, id, current.secret);
    const row = await tx
      .updateTable('webhooks')
      .set({
        endpoint,
        updated_at: sql<string>`now()`,
        ...(changed ? { secret: deps.keyRing.seal(secret) } : {}),
      })
      .where('id', '=', id)
      .returning(columns)
      .executeTakeFirstOrThrow();
    return toWebhook(row);
  });
}

/** For its own day, whatever comes after it. @throws unprocessable when too many go on signing. */
async function keepFormer(tx: Transaction, webhookId: string, secret: Buffer): Promise<void> {
  await tx
    .deleteFrom('webhook_former_secrets')
    .where('webhook_id', '=', webhookId)
    .where('until', '<=', sql<string>`now()`)
    .execute();
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from webhook_former_secrets where webhook_id = ${webhookId}`.execute(tx);
  if ((rows[0]?.count ?? 0) >= mostFormer) {
    const reason = `was changed ${mostFormer} times within ${overlapHours} hours, and each former one still signs: wait for the first to end`;
    throw unprocessable('secret', reason);
  }
  const until = sql<string>`now() + ${overlapHours} * interval '1 hour'`;
  await tx.insertInto('webhook_former_secrets').values({ webhook_id: webhookId, until, secret }).execute();
}

/** Disabling ends what is pending: it is neither sent nor replayed after enabling, unless it is recovered. */
export async function setWebhookDisabled(
  db: Database,
  organizationId: string,
  id: string,
  disabled: boolean,
  by: Actor,
): Promise<Webhook> {
  await getWebhook(db, organizationId, id);
  await db.transaction().execute(async (tx) => {
    await tx
      .updateTable('webhooks')
      .set({
        disabled,
        updated_at: sql<string>`now()`,
        // Disabled again, it has been since the first time.
        disabled_at: disabled ? sql<string>`coalesce(disabled_at, now())` : null,
        disabled_reason: disabled
          ? sql<string>`coalesce(disabled_reason, ${`Disabled by ${by.name}`})`
          : null,
      })
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
  await sql`
    with pending as (
      delete from webhook_queue where webhook_id = ${webhookId} returning created_at, attempts
    )
    update webhook_deliveries d
    set status = 'canceled', attempts = p.attempts, updated_at = clock_timestamp()
    from pending p
    where d.webhook_id = ${webhookId} and d.created_at = p.created_at and d.status = 'pending'`.execute(tx);
}

/** Undefined when the key that sealed it is gone: a new secret must be able to take its place. */
function opened(keyRing: KeyRing, sealed: Buffer): string | undefined {
  try {
    return keyRing.open(sealed);
  } catch {
    return undefined;
  }
}
