import path from 'node:path';
import pino from 'pino';
import { type ApiDependencies, type App, buildApp, lookTask, lookTaskOf } from '../../src/api/index.ts';
import { refreshTask, refreshTaskOf } from '../../src/connections/index.ts';
import { createEgress, noEgress } from '../../src/egress/index.ts';
import { openEventLog, startEventFeed } from '../../src/events/index.ts';
import { executionQueue, folderLogs } from '../../src/executions/index.ts';
import type { TaskHost } from '../../src/isolation/index.ts';
import { type Jobs, startJobs } from '../../src/jobs/index.ts';
import { KeyRing } from '../../src/lib/seal.ts';
import { modelJobQueue } from '../../src/models/index.ts';
import { bootstrap, createApiKey, createOrganization, createUser } from '../../src/organizations/index.ts';
import { createMetadataDatabase, type MetadataDatabase } from './database.ts';
import { temporaryFolder } from './server.ts';
import { tasksInProcess } from './tasks-in-process.ts';

/** An organization of the test, with a key of its administrator. */
export interface Tenant {
  organizationId: string;
  userId: string;
  apiKey: string;
}

/** The API without a port, on a metadata database of its own. */
export interface TestApp extends AsyncDisposable {
  app: App;
  deps: ApiDependencies;
  jobs: Jobs;
  database: MetadataDatabase;
  partnerKey: string;
  first: Tenant;
  /** Another organization. */
  tenant(name: string): Promise<Tenant>;
  request(
    apiKey: string | null,
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    url: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; headers: Record<string, unknown>; body: unknown }>;
}

export async function startTestApp(
  prepare: (app: App) => void = () => {},
  more: Partial<ApiDependencies> = {},
): Promise<TestApp> {
  const database = await createMetadataDatabase();
  const jobs = await startJobs(database.url, [executionQueue, modelJobQueue], 'send', () => {});
  const partnerKey = 'partner-key-of-the-test';
  // As in a server: what speaks to systems of users runs elsewhere, and the application itself cannot.
  const elsewhere: TaskHost = tasksInProcess({
    [lookTask]: async (input) => {
      looking ??= buildApp({ ...deps, later });
      await looking.ready();
      return lookTaskOf(looking)(input);
    },
    [refreshTask]: (input) => refreshTaskOf(deps)(input),
  });
  const later = (owner: string, kind: string, input: unknown) => void elsewhere.give(owner, kind, input);
  let looking: App | undefined;
  const deps: ApiDependencies = {
    db: database.db,
    clock: { now: Date.now },
    jobs,
    keyRing: new KeyRing([Buffer.alloc(32, 7)]),
    egress: createEgress({ allow: ['127.0.0.0/8'] }),
    log: pino({ level: 'silent' }),
    publicUrl: 'http://tidemark.test',
    partnerKey,
    eventRetention: 48 * 3_600_000,
    eventFeed: await startEventFeed(database.url),
    eventLog: openEventLog(database.url),
    webhookDeadline: 2000,
    // Tests send many requests without a key, all from one address.
    failuresAtOnce: 1_000_000,
    recordLogs: folderLogs(path.join(await temporaryFolder(), 'record-logs')),
    // Named, so that copies have them.
    looks: undefined,
    later: undefined,
    ...more,
  };
  // What a test changes about `deps` holds for the application, too.
  const own: Partial<ApiDependencies> = {
    egress: noEgress,
    later,
    looks: { tasks: elsewhere, deadline: 240_000 },
  };
  const ofServer = new Proxy(deps, {
    get: (target, name) => Reflect.get(name in own ? own : target, name),
  });
  const app = buildApp(ofServer, prepare);
  const { organizationId, userId, apiKey = '' } = await bootstrap({ db: database.db });
  return {
    app,
    deps,
    jobs,
    database,
    partnerKey,
    first: { organizationId, userId, apiKey },
    async tenant(name) {
      const organization = await createOrganization(deps, { name });
      const user = await createUser(deps.db, organization.id, { email: `admin@${name}.test`, role: 'admin' });
      const { key } = await createApiKey(deps.db, organization.id, user.id, false);
      return { organizationId: organization.id, userId: user.id, apiKey: key };
    },
    async request(key, method, url, body, headers = {}) {
      const response = await app.inject({
        method,
        url,
        headers: { ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...headers },
        ...(body === undefined ? {} : { payload: body as object }),
      });
      const text = response.body;
      return {
        status: response.statusCode,
        headers: response.headers,
        body: text === '' ? undefined : (JSON.parse(text) as unknown),
      };
    },
    async [Symbol.asyncDispose]() {
      // A connection that a client opened ahead and never used counts as busy for a minute.
      const killer = setTimeout(() => app.server.closeAllConnections(), 300);
      await app.close();
      clearTimeout(killer);
      await looking?.close();
      await jobs.stop();
      await deps.egress.close();
      await deps.eventFeed.stop();
      await deps.eventLog.close();
      await database[Symbol.asyncDispose]();
    },
  };
}
