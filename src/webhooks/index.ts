export { enqueueDeliveries } from './enqueue.ts';
export { releaseDeliveries } from './release.ts';
export {
  createWebhook,
  deleteWebhook,
  getWebhook,
  listWebhooks,
  setWebhookDisabled,
  updateWebhook,
  type Webhook,
} from './store.ts';
export { startDeliveryWorker } from './worker.ts';
