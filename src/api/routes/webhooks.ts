import { mask } from '../../connections/index.ts';
import { actorOf } from '../../organizations/index.ts';
import { IdParameter } from '../../schema/parameters.ts';
import type { Webhook as WireWebhook } from '../../schema/webhook.ts';
import { CreateWebhookRequest, UpdateWebhookRequest } from '../../schema/webhook.ts';
import {
  createWebhook,
  deleteWebhook,
  getWebhook,
  listWebhooks,
  setWebhookDisabled,
  updateWebhook,
  type Webhook,
  type WebhookHealth,
  webhookHealth,
} from '../../webhooks/index.ts';
import type { App } from '../app.ts';
import { callerOf, organizationOf } from '../authentication.ts';
import type { ApiDependencies } from '../dependencies.ts';

export function webhookRoutes(app: App, deps: ApiDependencies): void {
  const { db } = deps;
  /** @param secret shown to the one who just chose it, and never again. */
  const show = async (webhook: Webhook, secret = mask) =>
    present(webhook, secret, await webhookHealth(db, webhook.id));

  app.get('/api/webhooks', { schema: { operationId: 'webhooks.list' } }, async (request) => {
    const webhooks = await listWebhooks(db, organizationOf(request));
    return { data: await Promise.all(webhooks.map((webhook) => show(webhook))) };
  });
  app.post(
    '/api/webhooks',
    { schema: { operationId: 'webhooks.create', body: CreateWebhookRequest } },
    async (request) => {
      const webhook = await createWebhook(deps, organizationOf(request), request.body);
      return { data: await show(webhook, request.body.secret) };
    },
  );
  app.get(
    '/api/webhooks/:id',
    { schema: { operationId: 'webhooks.get', params: IdParameter } },
    async (request) => ({
      data: await show(await getWebhook(db, organizationOf(request), request.params.id)),
    }),
  );
  app.put(
    '/api/webhooks/:id',
    { schema: { operationId: 'webhooks.update', params: IdParameter, body: UpdateWebhookRequest } },
    async (request) => {
      const webhook = await updateWebhook(deps, organizationOf(request), request.params.id, request.body);
      return { data: await show(webhook) };
    },
  );
  app.delete(
    '/api/webhooks/:id',
    { schema: { operationId: 'webhooks.delete', params: IdParameter } },
    async (request, reply) => {
      await deleteWebhook(db, organizationOf(request), request.params.id);
      return reply.code(200).send();
    },
  );
  for (const [action, disabled] of [
    ['disable', true],
    ['enable', false],
  ] as const) {
    app.post(
      `/api/webhooks/:id/${action}`,
      { schema: { operationId: `webhooks.${action}`, params: IdParameter } },
      async (request) => {
        const webhook = await setWebhookDisabled(
          db,
          organizationOf(request),
          request.params.id,
          disabled,
          actorOf(callerOf(request)),
        );
        return { data: await show(webhook) };
      },
    );
  }
}

function present(webhook: Webhook, secret: string, health: WebhookHealth): WireWebhook {
  return {
    id: webhook.id,
    organization_id: webhook.organizationId,
    endpoint: webhook.endpoint,
    secret,
    disabled: webhook.disabled,
    ...(webhook.disabledAt === null ? {} : { disabled_at: webhook.disabledAt }),
    ...(webhook.disabledReason === null ? {} : { disabled_reason: webhook.disabledReason }),
    created_at: webhook.createdAt,
    health: {
      last_success_at: health.lastSuccessAt,
      last_failure_at: health.lastFailureAt,
      consecutive_failures: health.consecutiveFailures,
      pending: health.pending,
    },
  };
}
