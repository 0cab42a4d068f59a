import { Type } from 'typebox';
import {
  cancelBulkSchema,
  getBulkSchema,
  listBulkSchemas,
  patchBulkSchemas,
  updateBulkSchema,
} from '../../bulk-syncs/index.ts';
import { invalidField } from '../../errors.ts';
import { Parameter } from '../../schema/bounded.ts';
import { PatchBulkSchemasRequest } from '../../schema/bulk-schema.ts';
import { BulkSchemaSettings } from '../../schema/bulk-sync.ts';
import { IdParameter, MapParameter } from '../../schema/parameters.ts';
import type { App } from '../app.ts';
import { organizationOf } from '../authentication.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { mapParameter } from '../query.ts';

const SchemaParameters = Type.Object({ id: Parameter, schema_id: Parameter });
const ListQuery = Type.Object({ filters: Type.Optional(MapParameter) });

/** The schemas that a bulk sync was told to take, not everything its source has. */
export function bulkSchemaRoutes(app: App, deps: ApiDependencies): void {
  app.get(
    '/api/bulk/syncs/:id/schemas',
    { schema: { operationId: 'bulkSync.schemas.list', params: IdParameter, querystring: ListQuery } },
    async (request) => {
      const enabled = enabledFilter(request.query.filters);
      const { id } = request.params;
      return { data: await listBulkSchemas(deps.db, organizationOf(request), id, enabled) };
    },
  );

  app.patch(
    '/api/bulk/syncs/:id/schemas',
    { schema: { operationId: 'bulkSync.schemas.patch', params: IdParameter, body: PatchBulkSchemasRequest } },
    async (request) => {
      const { id } = request.params;
      return { data: await patchBulkSchemas(deps.db, organizationOf(request), id, request.body) };
    },
  );

  app.get(
    '/api/bulk/syncs/:id/schemas/:schema_id',
    { schema: { operationId: 'bulkSync.schemas.get', params: SchemaParameters } },
    async (request) => {
      const { id, schema_id } = request.params;
      return { data: await getBulkSchema(deps.db, organizationOf(request), id, schema_id) };
    },
  );

  app.put(
    '/api/bulk/syncs/:id/schemas/:schema_id',
    {
      schema: { operationId: 'bulkSync.schemas.update', params: SchemaParameters, body: BulkSchemaSettings },
    },
    async (request) => {
      const { id, schema_id } = request.params;
      const organizationId = organizationOf(request);
      return { data: await updateBulkSchema(deps.db, organizationId, id, schema_id, request.body) };
    },
  );

  app.post(
    '/api/bulk/syncs/:id/schemas/:schema_id/cancel',
    { schema: { operationId: 'bulkSync.schemas.cancel', params: SchemaParameters } },
    async (request) => {
      const { id, schema_id } = request.params;
      await cancelBulkSchema(deps.db, organizationOf(request), id, schema_id);
      return { data: { message: `cancellation of ${schema_id} requested` } };
    },
  );
}

function enabledFilter(filters: unknown): boolean | undefined {
  const { enabled, ...others } = mapParameter('filters', filters);
  const [other] = Object.keys(others);
  if (other !== undefined) throw invalidField(`filters.${other}`, 'is no filter: there is enabled');
  if (enabled === undefined) return undefined;
  if (!['true', 'false'].includes(String(enabled))) throw invalidField('filters.enabled', 'is true or false');
  return String(enabled) === 'true';
}
