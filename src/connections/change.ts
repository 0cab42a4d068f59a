import { sql } from 'kysely';
import type { Connector } from '../connectors/index.ts';
import { messageOf, notFound, TidemarkError, unprocessable } from '../errors.ts';
import type { JsonObject } from '../lib/json.ts';
import type { Actor } from '../organizations/index.ts';
import { checkConfiguration } from './configuration.ts';
import { keepSecrets, unsaidSecrets } from './keep-secrets.ts';
import { connectorOf, contextOf, type OpenDependencies } from './open.ts';
import {
  maskedIn,
  openConfiguration,
  readConfiguration,
  sealConfiguration,
  withoutSecrets,
} from './secrets.ts';
import { type Connection, connectionColumns, getConnection, toConnection } from './store.ts';

export interface ConnectionSettings {
  name: string;
  configuration: JsonObject;
  healthcheckInterval?: string | undefined;
  policies?: string[] | undefined;
  /** Try it before storing it. */
  validate: boolean;
}

/** @throws unprocessable (unknown type, bad configuration, name taken) or connection_failed. */
export async function createConnection(
  deps: OpenDependencies,
  organizationId: string,
  actor: Actor,
  { type, ...settings }: ConnectionSettings & { type: string },
): Promise<Connection> {
  const connector = connectorOf(type);
  refuseMasks(connector, settings.configuration);
  const configuration = checkConfiguration(connector, settings.configuration);
  if (settings.validate) await tryConnection(deps, organizationId, type, configuration);
  const row = await deps.db
    .insertInto('connections')
    .values({
      organization_id: organizationId,
      type,
      created_by: JSON.stringify(actor),
      ...columnsOf(deps, type, configuration, actor, settings),
    })
    .onConflict((conflict) => conflict.columns(['organization_id', 'name']).doNothing())
    .returning(connectionColumns)
    .executeTakeFirst();
  if (row === undefined) throw nameTaken(settings.name);
  return toConnection(row);
}

/** Full replacement, but for secrets that are left out. Running syncs keep the configuration they opened the connection with. */
export async function updateConnection(
  deps: OpenDependencies,
  organizationId: string,
  actor: Actor,
  id: string,
  settings: ConnectionSettings & { type?: string | undefined },
): Promise<Connection> {
  const stored = await getConnection(deps.db, organizationId, id);
  if (settings.type !== undefined && settings.type !== stored.type) {
    throw new TidemarkError('unprocessable', {
      reason: `type: a ${stored.type} connection cannot become ${settings.type}; create another connection`,
    });
  }
  const connector = connectorOf(stored.type);
  const before = readConfiguration(stored, deps.keyRing);
  const sent = keepSecrets(connector, settings.configuration, before.configuration);
  // What cannot be read cannot be kept, and to drop it is for the caller to decide: by sending it again, or null for none.
  if (before.unreadable !== undefined) {
    const unsaid = unsaidSecrets(connector.configuration, settings.configuration, 'configuration');
    if (unsaid.length > 0) {
      const reason = `${before.unreadable}. Say of each of ${unsaid.join(', ')} what it is, or null for none`;
      throw new TidemarkError('secret_unreadable', { reason });
    }
  }
  const configuration = checkConfiguration(connector, sent);
  if (settings.validate) await tryConnection(deps, organizationId, stored.type, configuration);
  const row = await deps.db
    .updateTable('connections')
    .set(columnsOf(deps, stored.type, configuration, actor, settings))
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .returning(connectionColumns)
    .executeTakeFirst()
    .catch((error: unknown) => {
      throw error instanceof Error && 'code' in error && error.code === '23505'
        ? nameTaken(settings.name)
        : error;
    });
  if (row === undefined) throw notFound('connection', id);
  return toConnection(row);
}

/**
 * Tries a configuration without storing it. With a connection id it is laid over the stored one, so that a
 * caller who changes one key need not know the secrets, as long as they go to where they were stored for.
 */
export async function testConnection(
  deps: OpenDependencies,
  organizationId: string,
  test: { type: string; configuration: JsonObject; connectionId?: string | undefined },
): Promise<void> {
  const connector = connectorOf(test.type);
  let { configuration } = test;
  if (test.connectionId !== undefined) {
    const stored = await getConnection(deps.db, organizationId, test.connectionId);
    if (stored.type !== test.type) {
      throw new TidemarkError('bad_request', {
        reason: `type: connection ${stored.id} is of type ${stored.type}`,
      });
    }
    const before = openConfiguration(stored, deps.keyRing);
    const laid = { ...withoutSecrets(connector.configuration, before), ...configuration };
    configuration = keepSecrets(connector, laid, before);
  } else refuseMasks(connector, configuration);
  await tryConnection(deps, organizationId, test.type, checkConfiguration(connector, configuration));
}

/** Who copies a connection sends the masks that it was shown: stored, each would be taken for the secret. */
function refuseMasks(connector: Connector, configuration: JsonObject): void {
  const place = maskedIn(connector.configuration, configuration, 'configuration');
  if (place === undefined) return;
  throw unprocessable(place, 'send the secret itself: this is how a stored one is shown, and none is stored');
}

async function tryConnection(
  deps: OpenDependencies,
  organizationId: string,
  type: string,
  configuration: JsonObject,
): Promise<void> {
  const session = connectorOf(type).open(configuration, contextOf(deps, organizationId));
  try {
    await session.test();
  } catch (cause) {
    throw new TidemarkError('connection_failed', { reason: messageOf(cause) }, { cause });
  } finally {
    await session.close();
  }
}

function columnsOf(
  deps: OpenDependencies,
  type: string,
  configuration: JsonObject,
  actor: Actor,
  settings: ConnectionSettings,
) {
  const name = settings.name.trim();
  if (name === '') throw new TidemarkError('unprocessable', { reason: 'name: must not be empty' });
  const stored = sealConfiguration(connectorOf(type).configuration, configuration, deps.keyRing);
  return {
    name,
    configuration: JSON.stringify(stored.configuration),
    secrets: stored.secrets,
    status: 'healthy',
    status_error: null,
    healthcheck_interval: settings.healthcheckInterval ?? null,
    policies: settings.policies ?? [],
    updated_by: JSON.stringify(actor),
    updated_at: sql<string>`now()`,
  };
}

const nameTaken = (name: string) =>
  new TidemarkError('unprocessable', {
    reason: `name: another connection of this organization is named ${name}`,
  });
