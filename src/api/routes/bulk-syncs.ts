import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import {
  activateBulkSync,
  type BulkSync,
  bulkSyncStatus,
  createBulkSync,
  getBulkSync,
  listBulkSyncStatus,
  listBulkSyncs,
  pageOfBulkSyncs,
  presentBulkExecution,
  presentBulkSync,
  presentBulkSyncs,
  presentWithSchedules,
  startBulkSync,
  updateBulkSync,
} from '../../bulk-syncs/index.ts';
import { startSchemaRefresh } from '../../connections/index.ts';
import { cancelSync } from '../../executions/index.ts';
import { limits } from '../../limits.ts';
import { actorOf } from '../../organizations/index.ts';
import { schedulesOf } from '../../schedules/index.ts';
import { Id, Token } from '../../schema/bounded.ts';
import { BulkSyncRequest, StartBulkSyncRequest } from '../../schema/bulk-sync.ts';
import { Force, IdParameter, limit, perPage } from '../../schema/parameters.ts';
import { withoutEffect } from '../../schema/unread.ts';
import type { App } from '../app.ts';
import { callerOf, organizationOf } from '../authentication.ts';
import { deletions } from '../deletion.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { type Generation, generationOf } from '../versions.ts';
import { warnIfIdle } from '../warnings.ts';

const ListQuery = Type.Object({
  active: Type.Optional(Type.Boolean()),
  page_token: Type.Optional(Token),
  limit: limit(perPage),
});

const GetQuery = Type.Object({ refresh_schemas: Type.Optional(Type.Boolean()) });
const DeleteQuery = Type.Object({
  ...Force.properties,
  refresh_schemas: withoutEffect('a sync that is deleted has no use for the schemas of its source'),
});

const StatusQuery = Type.Object({
  all: Type.Optional(Type.Boolean()),
  active: Type.Optional(Type.Boolean()),
  sync_id: Type.Optional(Type.Array(Id, { maxItems: limits.lists.query.most })),
});

export function bulkSyncRoutes(app: App, deps: ApiDependencies): void {
  const presentSaved = async (reply: FastifyReply, sync: BulkSync, generation: Generation) => {
    const schedules = (await schedulesOf(deps.db, [sync.id])).get(sync.id) ?? [];
    const frequencies = schedules.map(({ settings }) => settings.frequency);
    warnIfIdle(reply, sync.active, frequencies);
    return { data: presentWithSchedules(sync, schedules, generation) };
  };
  app.get(
    '/api/bulk/syncs',
    { schema: { operationId: 'bulkSync.list', querystring: ListQuery } },
    async (request) => {
      const { active, page_token: pageToken, limit } = request.query;
      const present = (syncs: BulkSync[]) => presentBulkSyncs(deps.db, syncs, generationOf(request));
      // Clients that cannot page ask for neither: they get all.
      if (pageToken === undefined && limit === undefined) {
        return { data: await present(await listBulkSyncs(deps.db, organizationOf(request), active)) };
      }
      const { syncs, nextPageToken } = await pageOfBulkSyncs(deps.db, organizationOf(request), {
        active,
        limit: limit ?? perPage,
        pageToken,
      });
      const pagination = nextPageToken === undefined ? {} : { next_page_token: nextPageToken };
      return { data: await present(syncs), pagination };
    },
  );

  app.post(
    '/api/bulk/syncs',
    { schema: { operationId: 'bulkSync.create', body: BulkSyncRequest }, config: { looks: true } },
    async (request, reply) => {
      const generation = generationOf(request);
      const actor = actorOf(callerOf(request));
      const sync = await createBulkSync(deps, organizationOf(request), actor, request.body, generation);
      return presentSaved(reply, sync, generation);
    },
  );

  app.get(
    '/api/bulk/syncs/status',
    { schema: { operationId: 'bulkSync.executions.listStatus', querystring: StatusQuery } },
    async (request) => {
      const { all, active, sync_id: syncIds = [] } = request.query;
      return { data: await listBulkSyncStatus(deps.db, organizationOf(request), { all, active, syncIds }) };
    },
  );

  app.get(
    '/api/bulk/syncs/:id',
    { schema: { operationId: 'bulkSync.get', params: IdParameter, querystring: GetQuery } },
    async (request) => {
      const sync = await getBulkSync(deps.db, organizationOf(request), request.params.id);
      if (request.query.refresh_schemas) {
        await (await startSchemaRefresh(deps, sync.organizationId, sync.sourceConnectionId)).done;
      }
      return { data: await presentBulkSync(deps.db, sync, generationOf(request)) };
    },
  );

  app.put(
    '/api/bulk/syncs/:id',
    {
      schema: { operationId: 'bulkSync.update', params: IdParameter, body: BulkSyncRequest },
      config: { looks: true },
    },
    async (request, reply) => {
      const generation = generationOf(request);
      const actor = actorOf(callerOf(request));
      const { id } = request.params;
      const sync = await updateBulkSync(deps, organizationOf(request), actor, id, request.body, generation);
      return presentSaved(reply, sync, generation);
    },
  );

  app.delete(
    '/api/bulk/syncs/:id',
    { schema: { operationId: 'bulkSync.delete', params: IdParameter, querystring: DeleteQuery } },
    async (request, reply) => {
      const { force = false } = request.query;
      await deletions(deps).bulkSync(organizationOf(request), request.params.id, force);
      return reply.code(200).send();
    },
  );

  app.post(
    '/api/bulk/syncs/:id/activate',
    {
      schema: {
        operationId: 'bulkSync.activate',
        params: IdParameter,
        body: Type.Object({ active: Type.Boolean() }),
      },
    },
    async (request) => {
      const { id } = request.params;
      const { active } = request.body;
      await activateBulkSync(deps, organizationOf(request), actorOf(callerOf(request)), id, active);
      return { data: { id, active } };
    },
  );

  app.post(
    '/api/bulk/syncs/:id/cancel',
    { schema: { operationId: 'bulkSync.cancel', params: IdParameter } },
    async (request) => {
      const organizationId = organizationOf(request);
      const sync = await getBulkSync(deps.db, organizationId, request.params.id);
      const execution = await cancelSync(deps, organizationId, sync.id);
      return { data: { message: execution === undefined ? 'nothing is running' : 'cancellation requested' } };
    },
  );

  app.post(
    '/api/bulk/syncs/:id/executions',
    {
      schema: {
        operationId: 'bulkSync.start',
        params: IdParameter,
        body: Type.Optional(StartBulkSyncRequest),
      },
    },
    async (request) => {
      const organizationId = organizationOf(request);
      const execution = await startBulkSync(deps, organizationId, request.params.id, request.body ?? {});
      return { data: await presentBulkExecution(deps.db, execution) };
    },
  );

  app.get(
    '/api/bulk/syncs/:id/status',
    { schema: { operationId: 'bulkSync.getStatus', params: IdParameter } },
    async (request) => ({
      data: await bulkSyncStatus(deps.db, organizationOf(request), request.params.id),
    }),
  );
}
