import type { App } from '../app.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { bulkConnectionRoutes } from './bulk-connections.ts';
import { bulkExecutionRoutes } from './bulk-executions.ts';
import { bulkLogRoutes } from './bulk-logs.ts';
import { bulkScheduleRoutes } from './bulk-schedules.ts';
import { bulkSchemaRoutes } from './bulk-schemas.ts';
import { bulkSyncRoutes } from './bulk-syncs.ts';
import { connectionTypeRoutes } from './connection-types.ts';
import { connectionRoutes } from './connections.ts';
import { eventStreamRoutes } from './event-stream.ts';
import { eventRoutes } from './events.ts';
import { healthRoutes } from './health.ts';
import { identityRoutes } from './identity.ts';
import { modelSyncExecutionRoutes } from './model-sync-executions.ts';
import { modelSyncTargetRoutes } from './model-sync-targets.ts';
import { modelSyncRoutes } from './model-syncs.ts';
import { modelRoutes } from './models.ts';
import { organizationRoutes } from './organizations.ts';
import { primaryKeyRoutes, schemaRoutes } from './schemas.ts';
import { userRoutes } from './users.ts';
import { webhookDeliveryRoutes } from './webhook-deliveries.ts';
import { webhookRoutes } from './webhooks.ts';

/** Every route, one file per resource. */
export function registerRoutes(app: App, dependencies: ApiDependencies): void {
  healthRoutes(app, dependencies);
  identityRoutes(app, dependencies);
  organizationRoutes(app, dependencies);
  userRoutes(app, dependencies);
  connectionTypeRoutes(app);
  connectionRoutes(app, dependencies);
  schemaRoutes(app, dependencies);
  primaryKeyRoutes(app, dependencies);
  modelRoutes(app, dependencies);
  modelSyncRoutes(app, dependencies);
  modelSyncExecutionRoutes(app, dependencies);
  modelSyncTargetRoutes(app, dependencies);
  bulkSyncRoutes(app, dependencies);
  bulkScheduleRoutes(app, dependencies);
  bulkSchemaRoutes(app, dependencies);
  bulkExecutionRoutes(app, dependencies);
  bulkLogRoutes(app, dependencies);
  bulkConnectionRoutes(app, dependencies);
  eventRoutes(app, dependencies);
  eventStreamRoutes(app, dependencies);
  webhookRoutes(app, dependencies);
  webhookDeliveryRoutes(app, dependencies);
}
