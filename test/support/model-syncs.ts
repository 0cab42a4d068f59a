import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { createConnection } from '../../src/connections/index.ts';
import type { IdentityFunction } from '../../src/connectors/index.ts';
import { createEgress } from '../../src/egress/index.ts';
import {
  type Counts,
  createRun,
  folderLogs,
  getExecution,
  listRecordLogs,
  type Outcome,
  openRecordLog,
  type RecordLogType,
  type Run,
  startExecution,
} from '../../src/executions/index.ts';
import type { Jobs } from '../../src/jobs/index.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import { KeyRing } from '../../src/lib/seal.ts';
import {
  createModelSync,
  type ModelSync,
  modelSyncRunner,
  updateModelSync,
} from '../../src/model-syncs/index.ts';
import { createModel, type Model } from '../../src/models/index.ts';
import type { ModelRequest } from '../../src/schema/model.ts';
import type { ModelSyncRequest } from '../../src/schema/model-sync.ts';
import { createDatabase, createMetadataDatabase } from './database.ts';
import { postgresqlConfiguration } from './http.ts';

/** What an execution did, as its users see it. */
export interface Executed {
  id: string;
  outcome: Outcome | { status: 'interrupted'; error: unknown };
  counts: Counts;
}

type SyncSettings = Partial<Omit<ModelSyncRequest, 'fields' | 'target' | 'identity'>> & {
  model: Model;
  object?: string;
  connectionId?: string;
  configuration?: JsonObject;
  /** [field of the model, target field] */
  identity?: [string, string];
  identityFunction?: IdentityFunction;
  /** Target fields that are to be made. */
  newFields?: string[];
  /** What else there is to say about the target. */
  target?: Partial<ModelSyncRequest['target']>;
  /** Field of the model → target field, or the name of both. */
  fields: (string | [string, string])[];
  /** Fields of the model, the first mapping of which is encrypted. */
  encrypted?: string[];
};

/** Two databases, a metadata database, and an organization that syncs from the one to the other. */
export async function startModelSyncs() {
  const [metadata, source, target] = await Promise.all([
    createMetadataDatabase(),
    createDatabase(),
    createDatabase(),
  ]);
  const { db } = metadata;
  const recordLogFolder = await mkdtemp(path.join(os.tmpdir(), 'tidemark-logs-'));
  const recordLogs = folderLogs(recordLogFolder);
  const egress = createEgress({ allow: ['127.0.0.0/8'] });
  const duckdbDir = await mkdtemp(path.join(os.tmpdir(), 'tidemark-duckdb-'));
  const deps = { db, egress, keyRing: new KeyRing([Buffer.alloc(32, 7)]), duckdbDir };
  // Executions are run by hand here, not by a worker: their jobs go nowhere.
  const jobs = { insert: async () => [], remove: async () => {} } as unknown as Jobs;
  const { id: organizationId } = await db
    .insertInto('organizations')
    .values({ name: 'test' })
    .returning('id')
    .executeTakeFirstOrThrow();
  await mkdir(path.join(duckdbDir, organizationId));
  const actor = { id: organizationId, name: 'test', type: 'organization' as const };
  const connect = async (type: string, configuration: JsonObject) => {
    const name = `${type} ${crypto.randomUUID()}`;
    const settings = { type, name, configuration, validate: true };
    return (await createConnection(deps, organizationId, actor, settings)).id;
  };
  const sourceId = await connect('postgresql', postgresqlConfiguration(source.url));
  const targetId = await connect('postgresql', postgresqlConfiguration(target.url));

  const world = {
    ...deps,
    deps,
    jobs,
    actor,
    organizationId,
    metadataUrl: metadata.url,
    source,
    target,
    sourceId,
    targetId,
    connect,
    /** Records of a batch at most. */
    batchSize: 2_000,
    /** A connection to the target database as somebody else. */
    connectAs: (username: string, password: string) =>
      connect('postgresql', { ...postgresqlConfiguration(target.url), username, password }),

    createModel: (configuration: JsonObject, identifier?: string, more: Partial<ModelRequest> = {}) =>
      createModel(deps, organizationId, actor, {
        name: 'model',
        connection_id: sourceId,
        configuration,
        identifier: identifier ?? null,
        ...more,
      }),

    createSync: (settings: SyncSettings): Promise<ModelSync> =>
      createModelSync(deps, organizationId, actor, requestOf(settings, targetId)),

    updateSync: (id: string, settings: SyncSettings): Promise<ModelSync> =>
      updateModelSync(deps, organizationId, actor, id, requestOf(settings, targetId)),

    async start(sync: ModelSync, options: JsonObject = {}): Promise<string> {
      const subject = { sync_name: sync.name, target_connection_id: sync.target.connectionId };
      const start = {
        organizationId,
        kind: 'model' as const,
        syncId: sync.id,
        trigger: 'manual',
        options,
        subject,
      };
      return (await startExecution({ db, jobs }, start)).id;
    },

    /** Runs a started execution as a worker that claims it would; `meddle` may get in the way. */
    async run(sync: ModelSync, id: string, meddle: (run: Run) => Run = (run) => run): Promise<Executed> {
      const claim = crypto.randomUUID();
      await db.updateTable('executions').set({ claim, status: 'running' }).where('id', '=', id).execute();
      const execution = await getExecution(db, organizationId, sync.id, id);
      const steered = createRun({ db, recordLogs }, { execution, claim });
      let outcome: Executed['outcome'];
      try {
        outcome = await modelSyncRunner(deps, { retryDelays: [10, 10], batchSize: world.batchSize })(
          meddle(steered.run),
        );
        const { status } = outcome;
        await db.updateTable('executions').set({ status }).where('id', '=', id).execute();
      } catch (error) {
        outcome = { status: 'interrupted', error };
      } finally {
        await steered.close();
      }
      const { counts } = await getExecution(db, organizationId, sync.id, id);
      return { id, outcome, counts };
    },

    async execute(sync: ModelSync, options: JsonObject = {}): Promise<Executed> {
      return world.run(sync, await world.start(sync, options));
    },

    /** Every entry of one record log of an execution. */
    async log(executionId: string, type: RecordLogType): Promise<unknown[]> {
      const files = await listRecordLogs(db, executionId, type);
      const located = { organizationId, id: executionId };
      const texts = await Promise.all(
        files.map(async ({ filename }) =>
          text(await openRecordLog({ db, recordLogs }, located, type, filename)),
        ),
      );
      return texts.flatMap((one) => JSON.parse(one) as unknown[]);
    },

    /** The record logs of an execution that have entries. */
    async logTypes(executionId: string): Promise<Set<RecordLogType>> {
      return new Set((await listRecordLogs(db, executionId)).map(({ type }) => type));
    },

    async [Symbol.asyncDispose]() {
      await egress.close();
      for (const folder of [recordLogFolder, duckdbDir]) await rm(folder, { recursive: true, force: true });
      for (const database of [metadata, source, target]) await database[Symbol.asyncDispose]();
    },
  };
  return world;
}

export type ModelSyncs = Awaited<ReturnType<typeof startModelSyncs>>;

function requestOf(
  {
    model,
    object,
    connectionId,
    configuration,
    identity,
    identityFunction = 'Equality',
    fields,
    encrypted = [],
    newFields = [],
    target: more,
    ...rest
  }: SyncSettings,
  targetId: string,
): ModelSyncRequest {
  const from = (field: string) => ({ model_id: model.id, field });
  const pairs = fields.map((one): [string, string] => (typeof one === 'string' ? [one, one] : one));
  return {
    name: 'sync',
    mode: 'updateOrCreate',
    schedule: {},
    target: {
      connection_id: connectionId ?? targetId,
      object: object ?? 'public.contacts',
      configuration: configuration ?? {},
      ...more,
    },
    fields: pairs.map(([field, target], index) => {
      const first = pairs.findIndex(([one]) => one === field) === index;
      return {
        source: from(field),
        target,
        new: newFields.includes(target),
        encryption_enabled: first && encrypted.includes(field),
      };
    }),
    ...(identity === undefined
      ? {}
      : {
          identity: {
            source: from(identity[0]),
            target: identity[1],
            new_field: newFields.includes(identity[1]),
            function: identityFunction,
          },
        }),
    ...rest,
  };
}
