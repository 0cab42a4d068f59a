export {
  type Database,
  type DatabaseHandle,
  execute,
  openDatabase,
  schemaName,
  type Transaction,
} from './database.ts';
export { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded/index.ts';
export { isConnectionFailure } from './connection-failure.ts';
export { migrate } from './migrate.ts';
export { maintainPartitions } from './partitions.ts';
