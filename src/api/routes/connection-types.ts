import { type Connector, connectors, findConnector } from '../../connectors/index.ts';
import { notFound } from '../../errors.ts';
import { IdParameter } from '../../schema/parameters.ts';
import type { App } from '../app.ts';

export function connectionTypeRoutes(app: App): void {
  app.get(
    '/api/connection_types',
    { schema: { operationId: 'connections.getTypes' }, config: { access: 'public' } },
    async () => ({ data: connectors.map(presentType) }),
  );
  // The bare JSON Schema, without an envelope: that is the wire.
  app.get(
    '/api/connection_types/:id',
    { schema: { operationId: 'connections.getConnectionTypeSchema', params: IdParameter } },
    async (request) => {
      const connector = findConnector(request.params.id);
      if (connector === undefined) throw notFound('connection type', request.params.id);
      return jsonSchema(connector);
    },
  );
}

function presentType(connector: Connector) {
  return {
    id: connector.id,
    name: connector.name,
    capabilities: { enrichment: false, ...connector.capabilities, orchestration: false, logging: false },
    configurationForm: { jsonschema: jsonSchema(connector), uischema: {} },
    use_oauth: false,
  };
}

function jsonSchema(connector: Connector) {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: connector.name,
    ...(JSON.parse(JSON.stringify(connector.configuration)) as object),
  };
}
