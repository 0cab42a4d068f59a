import type { Logger } from 'pino';
import type { OpenDependencies } from '../connections/index.ts';
import type { Clock, Database } from '../db/index.ts';
import type { Egress } from '../egress/index.ts';
import type { EventFeed, EventLog } from '../events/index.ts';
import type { RecordLogStore } from '../executions/index.ts';
import type { Jobs } from '../jobs/index.ts';
import type { KeyRing } from '../lib/seal.ts';
import type { Deadlines } from './deadlines.ts';
import type { Looks } from './looks.ts';

/** What routes may use. Built once in the composition root. */
export interface ApiDependencies {
  db: Database;
  clock: Clock;
  jobs: Jobs;
  keyRing: KeyRing;
  egress: Egress;
  /** Left out: requests that speak to systems of users are answered here. */
  looks?: Looks | undefined;
  /** Does something when the answer has gone out, in a process of its own. */
  later?: OpenDependencies['later'];
  /** Folder of the organizations' DuckDB files, where they are enabled. */
  duckdbDir?: string | undefined;
  log: Logger;
  /** Base of links in responses, without a trailing slash. */
  publicUrl: string;
  partnerKey: string | undefined;
  /** Milliseconds that events are kept. */
  eventRetention: number;
  eventFeed: EventFeed;
  eventLog: EventLog;
  /** Milliseconds that a webhook's endpoint may take to answer. */
  webhookDeadline: number;
  /** Milliseconds between heartbeats of an event stream, and that a client may read nothing. For tests. */
  streamTimes?: { heartbeat: number; patience: number; credentials?: number };
  /** Failed authentications of an address. For tests. */
  failuresAtOnce?: number;
  /** For tests. */
  deadlines?: Deadlines;
  recordLogs: RecordLogStore;
}
