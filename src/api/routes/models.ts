import { type Static, Type } from 'typebox';
import {
  createModel,
  deleteModel,
  draftModel,
  getModel,
  listModels,
  presentDraft,
  presentFields,
  presentModel,
  sampleModel,
  sourceFields,
  sourceMeta,
  sourceParameters,
  updateModel,
} from '../../models/index.ts';
import { actorOf } from '../../organizations/index.ts';
import { ModelRequest, ModelSample } from '../../schema/model.ts';
import { IdParameter } from '../../schema/parameters.ts';
import type { App } from '../app.ts';
import { callerOf, organizationOf } from '../authentication.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { sendJson } from '../send-json.ts';

/**
 * `async` asks for a job instead of an answer. Every one of these takes a moment only, so all answer with the
 * result: `job` is optional on the wire, and its result would be the same.
 */
const Async = Type.Object({ async: Type.Optional(Type.Boolean()) });

type SourceQuery = Record<string, unknown>;

export function modelRoutes(app: App, deps: ApiDependencies): void {
  app.get('/api/models', { schema: { operationId: 'models.list' } }, async (request) => ({
    data: (await listModels(deps.db, organizationOf(request))).map(presentModel),
  }));

  app.post(
    '/api/models',
    { schema: { operationId: 'models.create', querystring: Async, body: ModelRequest } },
    async (request) => {
      const actor = actorOf(callerOf(request));
      return { data: presentModel(await createModel(deps, organizationOf(request), actor, request.body)) };
    },
  );

  app.post(
    '/api/model-preview',
    { schema: { operationId: 'models.preview', querystring: Async, body: ModelRequest } },
    async (request) => ({
      data: presentDraft(await draftModel(deps, organizationOf(request), request.body)),
    }),
  );

  app.get(
    '/api/models/:id',
    { schema: { operationId: 'models.get', params: IdParameter, querystring: Async } },
    async (request) => ({
      data: presentModel(await getModel(deps.db, organizationOf(request), request.params.id)),
    }),
  );

  app.put(
    '/api/models/:id',
    { schema: { operationId: 'models.update', params: IdParameter, querystring: Async, body: ModelRequest } },
    async (request) => {
      const actor = actorOf(callerOf(request));
      const { id } = request.params;
      return {
        data: presentModel(await updateModel(deps, organizationOf(request), actor, id, request.body)),
      };
    },
  );

  app.delete(
    '/api/models/:id',
    { schema: { operationId: 'models.delete', params: IdParameter, querystring: Async } },
    async (request, reply) => {
      await deleteModel(deps.db, organizationOf(request), request.params.id);
      return reply.code(200).send();
    },
  );

  app.get(
    '/api/models/:id/sample',
    {
      schema: {
        operationId: 'models.sample',
        params: IdParameter,
        querystring: Async,
        response: { 200: Type.Object({ data: ModelSample }) },
      },
    },
    async (request, reply) => {
      const sample = await sampleModel(deps, organizationOf(request), request.params.id);
      return sendJson(reply, `{"data":${sample}}`);
    },
  );

  app.get<{ Params: Static<typeof IdParameter>; Querystring: SourceQuery }>(
    '/api/connections/:id/modelsync/source',
    { schema: { operationId: 'modelSync.getSource', params: IdParameter } },
    async (request) => {
      const parameters = sourceParameters(request.query);
      return { data: await sourceMeta(deps, organizationOf(request), request.params.id, parameters) };
    },
  );

  app.get<{ Params: Static<typeof IdParameter>; Querystring: SourceQuery }>(
    '/api/connections/:id/modelsync/source/fields',
    { schema: { operationId: 'modelSync.getSourceFields', params: IdParameter } },
    async (request) => {
      const { id } = request.params;
      const parameters = sourceParameters(request.query);
      const fields = await sourceFields(deps, organizationOf(request), id, parameters);
      return { data: presentFields(id, fields) };
    },
  );
}
