export { addressOf } from './address.ts';
export { type ConnectionSettings, createConnection, testConnection, updateConnection } from './change.ts';
export { type FollowTaskInput, followExecution, followTask, followTaskOf } from './health.ts';
export { connectorOf, type OpenDependencies, openConnection, withConnection } from './open.ts';
export { primaryKeyOverride, setPrimaryKey } from './primary-keys.ts';
export { deleteConnection } from './remove.ts';
export {
  cachedSchema,
  cachedSchemas,
  ensureSchemas,
  type RefreshTaskInput,
  refreshDied,
  refreshTask,
  refreshTaskOf,
  schemaCacheStatus,
  startSchemaRefresh,
} from './schema-cache.ts';
export { mask, maskConfiguration, readConfiguration } from './secrets.ts';
export {
  type Connection,
  connectionOwner,
  findConnection,
  getConnection,
  listConnections,
} from './store.ts';
