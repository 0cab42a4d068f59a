import { Type } from 'typebox';
import { presentModelExecution } from '../../executions/index.ts';
import {
  activateModelSync,
  cancelModelSync,
  createModelSync,
  getModelSync,
  listModelSyncs,
  type ModelSync,
  modelSyncStatus,
  pageModelSyncs,
  presentItem,
  presentModelSync,
  startModelSync,
  updateModelSync,
} from '../../model-syncs/index.ts';
import { actorOf } from '../../organizations/index.ts';
import { scheduleOptions } from '../../schedules/index.ts';
import { Id, Token } from '../../schema/bounded.ts';
import { ModelSyncRequest, modelSyncModes, StartModelSyncRequest } from '../../schema/model-sync.ts';
import { Force, IdParameter, limit, perPage } from '../../schema/parameters.ts';
import type { App } from '../app.ts';
import { callerOf, organizationOf } from '../authentication.ts';
import { noteTargetConfiguration } from '../configurations.ts';
import { deletions } from '../deletion.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { sendList } from '../send-json.ts';
import { generationOf } from '../versions.ts';
import { warnIfIdle } from '../warnings.ts';

const ListQuery = Type.Object({
  active: Type.Optional(Type.Boolean()),
  mode: Type.Optional(Type.Enum([...modelSyncModes])),
  target_connection_id: Type.Optional(Id),
  page_token: Type.Optional(Token),
  limit: limit(perPage),
});

export function modelSyncRoutes(app: App, deps: ApiDependencies): void {
  app.get(
    '/api/syncs',
    { schema: { operationId: 'modelSync.list', querystring: ListQuery } },
    async (request, reply) => {
      const { page_token, limit, ...filter } = request.query;
      const organizationId = organizationOf(request);
      const generation = generationOf(request);
      // Clients of before 2025-09-18 cannot page, and one that names no version may be of either kind.
      const paging = page_token !== undefined || limit !== undefined;
      if (generation === 'before-2025' || (generation === 'either' && !paging)) {
        const syncs = await listModelSyncs(deps.db, organizationId, filter);
        return sendList(reply, syncs, (sync) => presentModelSync(sync, generation));
      }
      const page = await pageModelSyncs(deps.db, organizationId, filter, {
        page_token,
        limit: limit ?? perPage,
      });
      const present = (sync: ModelSync) =>
        generation === 'current' ? presentItem(sync) : presentModelSync(sync, generation);
      const pagination = page.nextPageToken === undefined ? {} : { next_page_token: page.nextPageToken };
      return { data: page.syncs.map(present), pagination };
    },
  );

  app.post(
    '/api/syncs',
    { schema: { operationId: 'modelSync.create', body: ModelSyncRequest }, config: { looks: true } },
    async (request, reply) => {
      const actor = actorOf(callerOf(request));
      await noteTargetConfiguration(deps.db, request, reply, request.body.target);
      const sync = await createModelSync(deps, organizationOf(request), actor, request.body);
      warnIfIdle(reply, sync.active, [sync.schedule.frequency]);
      return { data: presentModelSync(sync, generationOf(request)) };
    },
  );

  app.get('/api/syncs/schedules', { schema: { operationId: 'modelSync.getScheduleOptions' } }, async () => ({
    data: { schedule_options: scheduleOptions },
  }));

  app.get(
    '/api/syncs/:id',
    { schema: { operationId: 'modelSync.get', params: IdParameter } },
    async (request) => {
      const sync = await getModelSync(deps.db, organizationOf(request), request.params.id);
      return { data: presentModelSync(sync, generationOf(request)) };
    },
  );

  app.put(
    '/api/syncs/:id',
    {
      schema: { operationId: 'modelSync.update', params: IdParameter, body: ModelSyncRequest },
      config: { looks: true },
    },
    async (request, reply) => {
      const actor = actorOf(callerOf(request));
      const { id } = request.params;
      await noteTargetConfiguration(deps.db, request, reply, request.body.target);
      const sync = await updateModelSync(deps, organizationOf(request), actor, id, request.body);
      warnIfIdle(reply, sync.active, [sync.schedule.frequency]);
      return { data: presentModelSync(sync, generationOf(request)) };
    },
  );

  app.delete(
    '/api/syncs/:id',
    { schema: { operationId: 'modelSync.delete', params: IdParameter, querystring: Force } },
    async (request, reply) => {
      const { force = false } = request.query;
      await deletions(deps).modelSync(organizationOf(request), request.params.id, force);
      return reply.code(200).send();
    },
  );

  app.post(
    '/api/syncs/:id/activate',
    {
      schema: {
        operationId: 'modelSync.activate',
        params: IdParameter,
        body: Type.Object({ active: Type.Boolean() }),
      },
    },
    async (request) => {
      const { id } = request.params;
      const { active } = request.body;
      await activateModelSync(deps, organizationOf(request), actorOf(callerOf(request)), id, active);
      return { data: { id, active } };
    },
  );

  app.post(
    '/api/syncs/:id/cancel',
    { schema: { operationId: 'modelSync.cancel', params: IdParameter } },
    async (request) => ({
      data: { message: await cancelModelSync(deps, organizationOf(request), request.params.id) },
    }),
  );

  app.post(
    '/api/syncs/:id/executions',
    {
      schema: {
        operationId: 'modelSync.start',
        params: IdParameter,
        // Clients may send no body at all.
        body: Type.Optional(StartModelSyncRequest),
      },
    },
    async (request) => {
      const organizationId = organizationOf(request);
      const execution = await startModelSync(deps, organizationId, request.params.id, request.body ?? {});
      return { data: { id: execution.id, status: execution.status, created_at: execution.createdAt } };
    },
  );

  app.get(
    '/api/syncs/:id/status',
    { schema: { operationId: 'modelSync.getStatus', params: IdParameter } },
    async (request) => {
      const organizationId = organizationOf(request);
      const { current, last, next } = await modelSyncStatus(deps.db, organizationId, request.params.id);
      return {
        data: {
          ...(current === undefined ? {} : { current_execution: presentModelExecution(current) }),
          ...(last === undefined ? {} : { last_execution: presentModelExecution(last) }),
          next_execution_time: next,
        },
      };
    },
  );
}
