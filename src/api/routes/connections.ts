import type { Static } from 'typebox';
import {
  type Connection,
  type ConnectionSettings,
  connectionOwner,
  connectorOf,
  createConnection,
  getConnection,
  listConnections,
  maskConfiguration,
  readConfiguration,
  startSchemaRefresh,
  testConnection,
  updateConnection,
} from '../../connections/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { KeyRing } from '../../lib/seal.ts';
import { actorOf } from '../../organizations/index.ts';
import {
  CreateConnectionRequest,
  TestConnectionRequest,
  UpdateConnectionRequest,
} from '../../schema/connection.ts';
import { Force, IdParameter } from '../../schema/parameters.ts';
import type { App } from '../app.ts';
import { callerOf, organizationOf } from '../authentication.ts';
import { noteConfiguration } from '../configurations.ts';
import { deletions } from '../deletion.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { withSentSecrets } from '../sent-secrets.ts';

export function connectionRoutes(app: App, deps: ApiDependencies): void {
  const { db, keyRing } = deps;

  app.get('/api/connections', { schema: { operationId: 'connections.list' } }, async (request) => {
    const connections = await listConnections(db, organizationOf(request));
    return { data: connections.map((connection) => present(connection, keyRing)) };
  });
  app.post(
    '/api/connections',
    { schema: { operationId: 'connections.create', body: CreateConnectionRequest }, config: { looks: true } },
    async (request, reply) => {
      const settings = { ...settingsOf(request.body), type: request.body.type };
      noteConfiguration(request, reply, settings.type, settings.configuration);
      const actor = actorOf(callerOf(request));
      const connection = await createConnection(deps, organizationOf(request), actor, settings);
      await refreshIfSource(deps, connection);
      return { data: withSentSecrets(request, present(connection, keyRing)) };
    },
  );
  app.post(
    '/api/connections/test',
    {
      schema: { operationId: 'connections.testConnection', body: TestConnectionRequest },
      config: { looks: true },
    },
    async (request, reply) => {
      const { type, configuration, connection_id: connectionId } = request.body;
      const test = { type, configuration: configuration as JsonObject, connectionId };
      noteConfiguration(request, reply, type, configuration);
      await testConnection(deps, organizationOf(request), test);
      return reply.code(200).send();
    },
  );
  app.get(
    '/api/connections/:id',
    {
      schema: { operationId: 'connections.get', params: IdParameter },
      config: { organizationOf: (id) => connectionOwner(db, id) },
    },
    async (request) => {
      const connection = await getConnection(db, organizationOf(request), request.params.id);
      return { data: present(connection, keyRing) };
    },
  );
  app.put(
    '/api/connections/:id',
    {
      schema: { operationId: 'connections.update', params: IdParameter, body: UpdateConnectionRequest },
      config: { looks: true },
    },
    async (request, reply) => {
      const settings = { ...settingsOf(request.body), type: request.body.type };
      const actor = actorOf(callerOf(request));
      const { id } = request.params;
      const stored = await getConnection(db, organizationOf(request), id);
      noteConfiguration(request, reply, stored.type, settings.configuration);
      const connection = await updateConnection(deps, organizationOf(request), actor, id, settings);
      await refreshIfSource(deps, connection);
      return { data: withSentSecrets(request, present(connection, keyRing)) };
    },
  );
  app.delete(
    '/api/connections/:id',
    { schema: { operationId: 'connections.delete', params: IdParameter, querystring: Force } },
    async (request, reply) => {
      const { force = false } = request.query;
      await deletions(deps).connection(organizationOf(request), request.params.id, force);
      return reply.code(200).send();
    },
  );
}

/** A source's catalogue is read ahead, so that the first sync finds it. */
async function refreshIfSource(deps: ApiDependencies, connection: Connection): Promise<void> {
  if (!connectorOf(connection.type).capabilities.source) return;
  await startSchemaRefresh(deps, connection.organizationId, connection.id);
}

function settingsOf(body: Static<typeof UpdateConnectionRequest>): ConnectionSettings {
  return {
    name: body.name,
    configuration: body.configuration as JsonObject,
    healthcheckInterval: body.healthcheck_interval,
    policies: body.policies ?? undefined,
    validate: body.validate ?? true,
  };
}

const remedy = 'Give Tidemark the key that sealed them, or enter them again.';

/** One that cannot be read is shown as such: it must not keep the others of a list from being shown. */
function present(connection: Connection, keyRing: KeyRing) {
  const connector = connectorOf(connection.type);
  const { configuration, unreadable } = readConfiguration(connection, keyRing);
  const { status, statusError } =
    unreadable === undefined
      ? connection
      : { status: 'error', statusError: `Its secrets cannot be read: they were ${unreadable}. ${remedy}` };
  return {
    id: connection.id,
    organization_id: connection.organizationId,
    name: connection.name,
    type: {
      id: connector.id,
      name: connector.name,
      operations: Object.entries(connector.capabilities).flatMap(([name, has]) => (has ? [name] : [])),
    },
    configuration: maskConfiguration(connector.configuration, configuration),
    status,
    ...(statusError === null ? {} : { status_error: statusError }),
    ...(connection.healthcheckInterval === null
      ? {}
      : { healthcheck_interval: connection.healthcheckInterval }),
    saved: true,
    policies: connection.policies,
    created_at: connection.createdAt,
    created_by: connection.createdBy,
    updated_at: connection.updatedAt,
    updated_by: connection.updatedBy,
  };
}
