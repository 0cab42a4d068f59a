import { Type } from 'typebox';
import {
  describeCreateProperty,
  describeTarget,
  listTargetObjects,
  presentCreator,
} from '../../model-syncs/index.ts';
import { IdParameter } from '../../schema/parameters.ts';
import type { App } from '../app.ts';
import { organizationOf } from '../authentication.ts';
import type { ApiDependencies } from '../dependencies.ts';

export function modelSyncTargetRoutes(app: App, deps: ApiDependencies): void {
  app.get(
    '/api/connections/:id/modelsync/target/fields',
    {
      schema: {
        operationId: 'modelSync.targets.getTargetFields',
        params: IdParameter,
        // `refresh` asks for what every call does: fields are read from the destination each time.
        querystring: Type.Object({ target: Type.String(), refresh: Type.Optional(Type.Boolean()) }),
      },
    },
    async (request) => ({
      data: await describeTarget(deps, organizationOf(request), request.params.id, request.query.target),
    }),
  );

  app.get(
    '/api/connections/:id/modelsync/targetobjects',
    { schema: { operationId: 'modelSync.targets.list', params: IdParameter } },
    async (request) => ({
      data: await listTargetObjects(deps, organizationOf(request), request.params.id),
      target_creation: await presentCreator(deps, organizationOf(request), request.params.id),
    }),
  );

  app.get(
    '/api/connections/:id/modelsync/targetobjects/properties/:property',
    {
      schema: {
        operationId: 'modelSync.targets.getCreateProperty',
        params: Type.Object({ id: Type.String(), property: Type.String() }),
      },
    },
    async (request) => {
      const { id, property } = request.params;
      return { data: await describeCreateProperty(deps, organizationOf(request), id, property) };
    },
  );
}
