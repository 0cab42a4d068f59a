import { mask } from '../../connections/index.ts';
import { IdParameter } from '../../schema/parameters.ts';
import type { Webhook as WireWebhook } from '../../schema/webhook.ts';
import { WebhookRequest } from '../../schema/webhook.ts';
import {
  createWebhook,
  deleteWebhook,
  getWebhook,
  listWebhooks,
  setWebhookDisabled,
  updateWebhook,
  type Webhook,
} from '../../webhooks/index.ts';
import type { App } from '../app.ts';
import { organizationOf } from '../authentication.ts';
import type { ApiDependencies } from '../dependencies.ts';

export function webhookRoutes(app: App, deps: ApiDependencies): void {
  const { db } = deps;

  app.get('/api/webhooks', { schema: { operationId: 'webhooks.list' } }, async (request) => {
    const webhooks = await listWebhooks(db, organizationOf(request));
    return { data: webhooks.map((webhook) => present(webhook)) };
  });
  app.post(
    '/api/webhooks',
    { schema: { operationId: 'webhooks.create', body: WebhookRequest } },
    async (request) => {
      const webhook = await createWebhook(deps, organizationOf(request), request.body);
      return { data: present(webhook, request.body.secret) };
    },
  );
  app.get(
    '/api/webhooks/:id',
    { schema: { operationId: 'webhooks.get', params: IdParameter } },
    async (request) => ({ data: present(await getWebhook(db, organizationOf(request), request.params.id)) }),
  );
  app.put(
    '/api/webhooks/:id',
    { schema: { operationId: 'webhooks.update', params: IdParameter, body: WebhookRequest } },
    async (request) => {
      const webhook = await updateWebhook(deps, organizationOf(request), request.params.id, request.body);
      return { data: present(webhook) };
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
        const webhook = await setWebhookDisabled(db, organizationOf(request), request.params.id, disabled);
        return { data: present(webhook) };
      },
    );
  }
}

/** @param secret shown to the one who just chose it, and never again. */
function present(webhook: Webhook, secret = mask): WireWebhook {
  return {
    id: webhook.id,
    organization_id: webhook.organizationId,
    endpoint: webhook.endpoint,
    secret,
    disabled: webhook.disabled,
    created_at: webhook.createdAt,
  };
}
