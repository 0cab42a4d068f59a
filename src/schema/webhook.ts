import { type Static, Type } from 'typebox';

/** `CreateWebhooksSchema` and `UpdateWebhooksSchema` on the wire. */
export const WebhookRequest = Type.Object({
  endpoint: Type.String(),
  secret: Type.String(),
  organization_id: Type.Optional(Type.Union([Type.String(), Type.Null()])),
});

export const Webhook = Type.Object({
  id: Type.String(),
  organization_id: Type.String(),
  endpoint: Type.String(),
  /** As given on create; the mask afterwards. */
  secret: Type.String(),
  disabled: Type.Boolean(),
  created_at: Type.String(),
});
export type Webhook = Static<typeof Webhook>;
