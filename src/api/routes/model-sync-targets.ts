import { Type } from 'typebox';
import {
  describeCreateProperty,
  describeTarget,
  listTargetObjects,
  presentCreator,
} from '../../model-syncs/index.ts';
import { FieldName, Parameter } from '../../schema/bounded.ts';
import { IdParameter } from '../../schema/parameters.ts';
import { refused } from '../../schema/unread.ts';
import type { App } from '../app.ts';
import { organizationOf } from '../authentication.ts';
import type { ApiDependencies } from '../dependencies.ts';

const FieldsQuery = Type.Object({
  target: FieldName,
  // Asks for what every call does: fields are read from the destination each time.
  refresh: Type.Optional(Type.Boolean()),
  properties: refused('a table that is to be made gets the fields that its sync maps: it has none before'),
});
const ObjectsQuery = Type.Object({ include_target_creation_values: Type.Optional(Type.Boolean()) });

export function modelSyncTargetRoutes(app: App, deps: ApiDependencies): void {
  app.get(
    '/api/connections/:id/modelsync/target/fields',
    {
      schema: {
        operationId: 'modelSync.targets.getTargetFields',
        params: IdParameter,
        querystring: FieldsQuery,
      },
      config: { looks: true },
    },
    async (request) => ({
      data: await describeTarget(deps, organizationOf(request), request.params.id, request.query.target),
    }),
  );

  app.get(
    '/api/connections/:id/modelsync/targetobjects',
    {
      schema: { operationId: 'modelSync.targets.list', params: IdParameter, querystring: ObjectsQuery },
      config: { looks: true },
    },
    async (request) => ({
      data: await listTargetObjects(deps, organizationOf(request), request.params.id),
      target_creation: await presentCreator(
        deps,
        organizationOf(request),
        request.params.id,
        request.query.include_target_creation_values ?? false,
      ),
    }),
  );

  app.get(
    '/api/connections/:id/modelsync/targetobjects/properties/:property',
    {
      schema: {
        operationId: 'modelSync.targets.getCreateProperty',
        params: Type.Object({ id: Parameter, property: Parameter }),
      },
      config: { looks: true },
    },
    async (request) => {
      const { id, property } = request.params;
      return { data: await describeCreateProperty(deps, organizationOf(request), id, property) };
    },
  );
}
