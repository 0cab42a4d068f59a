import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { JsonObject as Json } from '../../lib/json.ts';
import { changeModel } from '../../model-syncs/index.ts';
import {
  createModel,
  draftModel,
  enrichmentInputs,
  enrichmentMeta,
  getModel,
  listModels,
  type ModelJobRequest,
  presentDraft,
  presentFields,
  presentModel,
  sampleModel,
  sourceFields,
  sourceMeta,
  startModelJob,
  updateModel,
} from '../../models/index.ts';
import { actorOf } from '../../organizations/index.ts';
import { JsonObject, Parameter } from '../../schema/bounded.ts';
import { ModelRequest, ModelSample } from '../../schema/model.ts';
import { Force, IdParameter } from '../../schema/parameters.ts';
import type { App } from '../app.ts';
import { callerOf, organizationOf } from '../authentication.ts';
import { noteModelConfigurations } from '../configurations.ts';
import { deletions } from '../deletion.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { jobJson } from '../job-json.ts';
import { mapParameter } from '../query.ts';
import { sendJson, sendList } from '../send-json.ts';

/**
 * `async` asks for a job instead of an answer, where a source is asked. What is known here is answered at once: `job`
 * is optional on the wire.
 */
const Async = Type.Object({ async: Type.Optional(Type.Boolean()) });

const AsyncForce = Type.Object({ ...Async.properties, ...Force.properties });

/** A worker answers it then. */
const isAsync = ({ query }: { query: unknown }) => (query as { async?: boolean }).async === true;

/** Choices on the way to a model's configuration: `params`, and plain members as one types them (`?table=x`). */
const SourceQuery = JsonObject;

export function modelRoutes(app: App, deps: ApiDependencies): void {
  const later = async (request: FastifyRequest, reply: FastifyReply, job: ModelJobRequest) =>
    sendJson(reply.code(202), `{"job":${jobJson(await startModelJob(deps, organizationOf(request), job))}}`);

  app.get('/api/models', { schema: { operationId: 'models.list' } }, async (request, reply) =>
    sendList(reply, await listModels(deps.db, organizationOf(request)), presentModel),
  );

  app.post(
    '/api/models',
    {
      schema: { operationId: 'models.create', querystring: Async, body: ModelRequest },
      config: { looks: (request) => !isAsync(request) },
    },
    async (request, reply) => {
      const actor = actorOf(callerOf(request));
      const { body } = request;
      await noteModelConfigurations(deps.db, request, reply, body);
      if (request.query.async) return later(request, reply, { type: 'createmodel', actor, body });
      return { data: presentModel(await createModel(deps, organizationOf(request), actor, body)) };
    },
  );

  app.post(
    '/api/model-preview',
    {
      schema: { operationId: 'models.preview', querystring: Async, body: ModelRequest },
      config: { looks: (request) => !isAsync(request) },
    },
    async (request, reply) => {
      const { body } = request;
      await noteModelConfigurations(deps.db, request, reply, body);
      if (request.query.async) return later(request, reply, { type: 'previewmodel', body });
      return { data: presentDraft(await draftModel(deps, organizationOf(request), body)) };
    },
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
    {
      schema: {
        operationId: 'models.update',
        params: IdParameter,
        querystring: AsyncForce,
        body: ModelRequest,
      },
      config: { looks: (request) => !isAsync(request) },
    },
    async (request, reply) => {
      const actor = actorOf(callerOf(request));
      const { id } = request.params;
      const { body } = request;
      await noteModelConfigurations(deps.db, request, reply, body);
      const { force = false } = request.query;
      if (request.query.async) {
        await getModel(deps.db, organizationOf(request), id);
        return later(request, reply, { type: 'updatemodel', actor, id, body, force });
      }
      return {
        data: presentModel(
          await updateModel({ ...deps, changeModel }, organizationOf(request), actor, id, body, force),
        ),
      };
    },
  );

  app.delete(
    '/api/models/:id',
    {
      schema: {
        operationId: 'models.delete',
        params: IdParameter,
        querystring: AsyncForce,
      },
    },
    async (request, reply) => {
      const { force = false } = request.query;
      await deletions(deps).model(organizationOf(request), request.params.id, force);
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
      config: { looks: (request) => !isAsync(request) },
    },
    async (request, reply) => {
      const { id } = request.params;
      if (request.query.async) {
        await getModel(deps.db, organizationOf(request), id);
        return later(request, reply, { type: 'samplemodel', id });
      }
      const sample = await sampleModel(deps, organizationOf(request), id);
      return sendJson(reply, `{"data":${sample}}`);
    },
  );

  app.get(
    '/api/connections/:id/modelsync/enrichment-source',
    {
      schema: { operationId: 'models.getEnrichmentSource', params: IdParameter, querystring: SourceQuery },
      config: { looks: true },
    },
    async (request) => {
      const parameters = sourceParameters(request.query);
      return { data: await enrichmentMeta(deps, organizationOf(request), request.params.id, parameters) };
    },
  );

  app.post(
    '/api/enrichment/:connection_id/inputfields',
    {
      schema: {
        operationId: 'models.post',
        params: Type.Object({ connection_id: Parameter }),
        body: Type.Optional(Type.Object({ configuration: Type.Optional(JsonObject) })),
      },
      config: { looks: true },
    },
    async (request) => {
      // A request body is JSON, so its members are.
      const configuration = (request.body?.configuration ?? {}) as Json;
      const { connection_id } = request.params;
      return { data: await enrichmentInputs(deps, organizationOf(request), connection_id, configuration) };
    },
  );

  app.get(
    '/api/connections/:id/modelsync/source',
    {
      schema: { operationId: 'modelSync.getSource', params: IdParameter, querystring: SourceQuery },
      config: { looks: true },
    },
    async (request) => {
      const parameters = sourceParameters(request.query);
      return { data: await sourceMeta(deps, organizationOf(request), request.params.id, parameters) };
    },
  );

  app.get(
    '/api/connections/:id/modelsync/source/fields',
    {
      schema: { operationId: 'modelSync.getSourceFields', params: IdParameter, querystring: SourceQuery },
      config: { looks: true },
    },
    async (request) => {
      const { id } = request.params;
      const parameters = sourceParameters(request.query);
      const fields = await sourceFields(deps, organizationOf(request), id, parameters);
      return { data: presentFields(id, fields) };
    },
  );
}

function sourceParameters({ params, ...plain }: Record<string, unknown>): Record<string, string[]> {
  const given = { ...plain, ...mapParameter('params', params) };
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, [value].flat().map((one) => String(one))]),
  );
}
