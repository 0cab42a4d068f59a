export { type Clock, startClock } from './clock.ts';
export { type Commits, watchCommits } from './commits.ts';
export { isConnectionFailure } from './connection-failure.ts';
export { copyLines, copyRows } from './copy-rows.ts';
export {
  type Database,
  type DatabaseHandle,
  loopSessions,
  openDatabase,
  schemaName,
  statementLimit,
  type Transaction,
  takenForFew,
} from './database.ts';
export { type EmbeddedPostgres, removeEmbeddedPostgres, startEmbeddedPostgres } from './embedded/index.ts';
export { anyListener, listen } from './listen.ts';
export { sessionOptions } from './metadata-client.ts';
export { migrate } from './migrate.ts';
export { maintainPartitions } from './partitions.ts';
export { type OpenSession, openSession, type Session, withSession } from './session.ts';
