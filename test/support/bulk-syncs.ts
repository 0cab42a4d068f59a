import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bulkSyncRunner } from '../../src/bulk-syncs/index.ts';
import { createConnection, startSchemaRefresh } from '../../src/connections/index.ts';
import type { Database } from '../../src/db/index.ts';
import { createEgress, type Egress } from '../../src/egress/index.ts';
import {
  createRun,
  type Execution,
  executionQueue,
  folderLogs,
  getExecution,
  type Outcome,
  type RecordLogStore,
  readConsole,
} from '../../src/executions/index.ts';
import { type Jobs, startJobs } from '../../src/jobs/index.ts';
import { KeyRing } from '../../src/lib/seal.ts';
import { type Actor, bootstrap } from '../../src/organizations/index.ts';
import { createMetadataDatabase, type TestDatabase } from './database.ts';
import { postgresqlConfiguration } from './http.ts';

/** What it takes to run bulk syncs without a server. */
export interface BulkHarness extends AsyncDisposable {
  db: Database;
  jobs: Jobs;
  keyRing: KeyRing;
  egress: Egress;
  url: string;
  organizationId: string;
  apiKey: string;
  actor: Actor;
  recordLogs: RecordLogStore;
  duckdbDir: string;
  rangeRows?: number;
  /** Makes a connection to a database. Returns its id. */
  connect(database: TestDatabase): Promise<string>;
  refresh(connectionId: string): Promise<void>;
  /** Runs a queued execution, or one that another run has left, to its end. */
  run(executionId: string): Promise<{ outcome: Outcome; execution: Execution; schemas: SchemaExecution[] }>;
  begin(executionId: string): { outcome: Promise<Outcome>; stop(reason: 'canceled'): void };
  schemas(executionId: string): Promise<SchemaExecution[]>;
  console(executionId: string): ReturnType<typeof readConsole>;
}

type SchemaExecution = Awaited<ReturnType<typeof schemaExecutions>>[number];

/** Sealing key of connections in tests. */
export const testKey = Buffer.alloc(32, 7);

/** @param rangeRows rows of a range. */
export async function bulkHarness(rangeRows?: number): Promise<BulkHarness> {
  const metadata = await createMetadataDatabase();
  const { db, url } = metadata;
  const jobs = await startJobs(url, [executionQueue], 'send', () => {});
  const recordLogFolder = await mkdtemp(path.join(tmpdir(), 'tidemark-logs-'));
  const deps = {
    db,
    keyRing: new KeyRing([testKey]),
    egress: createEgress({ allow: ['127.0.0.0/8'] }),
    recordLogs: folderLogs(recordLogFolder),
    duckdbDir: path.join(recordLogFolder, 'duckdb'),
    ...(rangeRows === undefined ? {} : { rangeRows }),
  };
  const { organizationId, userId, apiKey = '' } = await bootstrap({ db });
  const actor: Actor = { id: userId, name: 'admin@localhost', type: 'user' };
  let connections = 0;

  const begin: BulkHarness['begin'] = (executionId) => {
    const { promise, resolve } = Promise.withResolvers<(reason: 'canceled') => void>();
    const outcome = beginRun(deps, executionId, resolve);
    return { outcome, stop: (reason) => void promise.then((stop) => stop(reason)) };
  };
  return {
    ...deps,
    jobs,
    url,
    organizationId,
    apiKey,
    actor,
    async connect(database) {
      const connection = await createConnection(deps, organizationId, actor, {
        name: `database ${connections++}`,
        type: 'postgresql',
        configuration: postgresqlConfiguration(database.url),
        validate: false,
      });
      return connection.id;
    },
    async refresh(connectionId) {
      await (await startSchemaRefresh(deps, organizationId, connectionId)).done;
    },
    begin,
    async run(executionId) {
      const outcome = await begin(executionId).outcome;
      // As a worker would: the next execution of the sync may start.
      const row = await db
        .updateTable('executions')
        .set({ status: outcome.status })
        .where('id', '=', executionId)
        .returning('sync_id')
        .executeTakeFirstOrThrow();
      const execution = await getExecution(db, organizationId, row.sync_id, executionId);
      return { outcome, execution, schemas: await schemaExecutions(db, executionId) };
    },
    schemas: (executionId) => schemaExecutions(db, executionId),
    console: (executionId) => readConsole(db, executionId, {}),
    async [Symbol.asyncDispose]() {
      await jobs.stop(0);
      await deps.egress.close();
      await metadata[Symbol.asyncDispose]();
      await rm(recordLogFolder, { recursive: true });
    },
  };
}

/** Claims an execution and runs it, as a worker does. */
export async function beginRun(
  deps: {
    db: Database;
    keyRing: KeyRing;
    egress: Egress;
    recordLogs?: RecordLogStore;
    duckdbDir?: string;
    rangeRows?: number;
  },
  executionId: string,
  started: (stop: (reason: 'canceled' | 'draining') => void) => void = () => {},
): Promise<Outcome> {
  const claim = crypto.randomUUID();
  const row = await deps.db
    .updateTable('executions')
    .set({ claim, status: 'running' })
    .where('id', '=', executionId)
    .returning(['sync_id', 'organization_id'])
    .executeTakeFirstOrThrow();
  const execution = await getExecution(deps.db, row.organization_id, row.sync_id, executionId);
  const steered = createRun(
    { db: deps.db, recordLogs: deps.recordLogs ?? folderLogs(tmpdir()) },
    { execution, claim },
  );
  started(steered.stop);
  try {
    return await bulkSyncRunner(deps, { rangeRows: deps.rangeRows ?? 5000, streams: 2 })(steered.run);
  } finally {
    await steered.close();
  }
}

function schemaExecutions(db: Database, executionId: string) {
  return db
    .selectFrom('bulk_schema_executions')
    .select([
      'schema_id',
      'output_name',
      'status',
      'status_message',
      'record_count',
      'byte_count',
      'error_count',
    ])
    .where('execution_id', '=', executionId)
    .orderBy('schema_id')
    .execute();
}
