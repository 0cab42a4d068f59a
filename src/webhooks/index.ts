export { type ListedAttempt, listAttempts } from './attempts.ts';
export {
  type Delivery,
  type DeliveryStatus,
  deliveryStatuses,
  getDelivery,
  listDeliveries,
  type RecordedAttempt,
  type WebhookHealth,
  webhookHealth,
} from './deliveries.ts';
export { enqueueDeliveries } from './enqueue.ts';
export { releaseDeliveries } from './release.ts';
export { recoverDeliveries, resendDelivery } from './resend.ts';
export { deliveryBody } from './send.ts';
export { type SigningKey, sign, signingKey } from './sign.ts';
export {
  createWebhook,
  deleteWebhook,
  getWebhook,
  listWebhooks,
  setWebhookDisabled,
  updateWebhook,
  type Webhook,
} from './store.ts';
export { sendTest } from './test-delivery.ts';
export { startDeliveryWorker } from './worker.ts';
