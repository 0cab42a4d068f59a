import { Type } from 'typebox';
import {
  cachedSchema,
  getConnection,
  schemaCacheStatus,
  setPrimaryKey,
  startSchemaRefresh,
  withConnection,
} from '../../connections/index.ts';
import type { SourceSchema } from '../../connectors/index.ts';
import { notFound } from '../../errors.ts';
import { limits } from '../../limits.ts';
import { FieldName, Parameter } from '../../schema/bounded.ts';
import { IdParameter } from '../../schema/parameters.ts';
import type { App } from '../app.ts';
import { organizationOf } from '../authentication.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { sendJson } from '../send-json.ts';

const KeyParameters = Type.Object({ connection_id: Parameter, schema_id: Parameter });
const SetPrimaryKeysRequest = Type.Object({
  // Needed: a request that says nothing would bring the source's own key back.
  fields: Type.Array(Type.Object({ field_id: FieldName, is_primary_key: Type.Boolean() }), {
    maxItems: limits.lists.fields.most,
  }),
});

const SchemaParameters = Type.Object({ id: Parameter, schema_id: Parameter });

/** Sample records that the API returns. */
const sampleSize = 10;

/** The cached catalogue of a source connection. */
export function schemaRoutes(app: App, deps: ApiDependencies): void {
  app.post(
    '/api/connections/:id/schemas/refresh',
    { schema: { operationId: 'schemas.refresh', params: IdParameter } },
    async (request, reply) => {
      const connection = await getConnection(deps.db, organizationOf(request), request.params.id);
      await startSchemaRefresh(deps, connection.organizationId, connection.id);
      return reply.code(202).header('location', `/api/connections/${connection.id}/schemas/status`).send();
    },
  );
  app.get(
    '/api/connections/:id/schemas/status',
    { schema: { operationId: 'schemas.getStatus', params: IdParameter } },
    async (request) => {
      const status = await schemaCacheStatus(deps.db, organizationOf(request), request.params.id);
      return {
        data: {
          cache_status: status.refreshing ? 'refreshing' : 'fresh',
          ...(status.startedAt === null ? {} : { last_refresh_started: status.startedAt }),
          ...(status.finishedAt === null ? {} : { last_refresh_finished: status.finishedAt }),
          ...(status.error === null ? {} : { last_refresh_error: status.error }),
        },
      };
    },
  );
  app.get(
    '/api/connections/:id/schemas/:schema_id',
    { schema: { operationId: 'schemas.get', params: SchemaParameters } },
    async (request) => {
      const { id, schema_id } = request.params;
      return { data: presentSchema(await cachedSchema(deps, organizationOf(request), id, schema_id)) };
    },
  );
  app.get(
    '/api/connections/:id/schemas/:schema_id/records',
    { schema: { operationId: 'schemas.getRecords', params: SchemaParameters }, config: { looks: true } },
    async (request, reply) => {
      const { id, schema_id } = request.params;
      const records = await withConnection(deps, organizationOf(request), id, ({ catalogue }) => {
        if (catalogue === undefined) throw notFound('schema', schema_id);
        return catalogue.records(schema_id, sampleSize);
      });
      return sendJson(reply, `{"data":[${records.join(',')}]}`);
    },
  );
}

/** Keys for schemas whose source knows none, or another one. */
export function primaryKeyRoutes(app: App, deps: ApiDependencies): void {
  const path = '/api/connections/:connection_id/schemas/:schema_id/primary_keys';
  app.put(
    path,
    {
      schema: {
        operationId: 'schemas.setPrimaryKeys',
        params: KeyParameters,
        body: SetPrimaryKeysRequest,
      },
    },
    async (request, reply) => {
      const { connection_id, schema_id } = request.params;
      const { fields } = request.body;
      await setPrimaryKey(deps, organizationOf(request), connection_id, schema_id, fields);
      return reply.code(202).send();
    },
  );
  app.delete(
    path,
    { schema: { operationId: 'schemas.resetPrimaryKeys', params: KeyParameters } },
    async (request, reply) => {
      const { connection_id, schema_id } = request.params;
      await setPrimaryKey(deps, organizationOf(request), connection_id, schema_id, []);
      return reply.code(202).send();
    },
  );
}

/** `Schema` on the wire. */
export function presentSchema({ id, name, fields }: SourceSchema) {
  return {
    id,
    name,
    fields: fields.map((field) => ({
      id: field.name,
      name: field.name,
      type: field.type,
      remote_type: field.remoteType,
      is_primary_key: field.primaryKey,
    })),
  };
}
