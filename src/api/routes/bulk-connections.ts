import { Type } from 'typebox';
import { describeDestination, describeSource } from '../../bulk-syncs/index.ts';
import { IdParameter } from '../../schema/parameters.ts';
import type { App } from '../app.ts';
import { organizationOf } from '../authentication.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { presentSchema } from './schemas.ts';

const SourceQuery = Type.Object({ include_fields: Type.Optional(Type.Boolean({ default: true })) });

/** What a connection can be in a bulk sync. */
export function bulkConnectionRoutes(app: App, deps: ApiDependencies): void {
  app.get(
    '/api/connections/:id/bulksync/source',
    { schema: { operationId: 'bulkSync.getSource', params: IdParameter, querystring: SourceQuery } },
    async (request) => {
      const { schemas: found, followsFields } = await describeSource(
        deps,
        organizationOf(request),
        request.params.id,
      );
      const withFields = request.query.include_fields !== false;
      const schemas = found.map(presentSchema).map(({ fields, ...schema }) => ({
        ...schema,
        ...(withFields ? { fields } : {}),
      }));
      const capabilities = { supports_tracking_fields: followsFields };
      return { data: { capabilities, configuration: {}, schemas } };
    },
  );

  app.get(
    '/api/connections/:id/bulksync/target',
    { schema: { operationId: 'bulkSync.getDestination', params: IdParameter }, config: { looks: true } },
    async (request) => ({
      data: await describeDestination(deps, organizationOf(request), request.params.id),
    }),
  );
}
