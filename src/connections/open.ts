import path from 'node:path';
import {
  type Connector,
  type ConnectorContext,
  connectors,
  findConnector,
  type Session,
} from '../connectors/index.ts';
import type { Database } from '../db/index.ts';
import type { Egress } from '../egress/index.ts';
import { TidemarkError } from '../errors.ts';
import { orMeant } from '../lib/near-name.ts';
import type { KeyRing } from '../lib/seal.ts';
import { openConfiguration } from './secrets.ts';
import { type Connection, getConnection } from './store.ts';

export interface OpenDependencies {
  db: Database;
  keyRing: KeyRing;
  egress: Egress;
  /** Folder of the organizations' folders for DuckDB files, where they are enabled. */
  duckdbDir?: string | undefined;
  /** Gives a task to another process. Without it, whoever starts something does it himself. */
  later?: ((organizationId: string, kind: string, input: unknown) => void) | undefined;
}

/** What a connector gets of an organization to work with. */
export function contextOf(
  { egress, duckdbDir }: OpenDependencies,
  organizationId: string,
  limits: Pick<ConnectorContext, 'signal' | 'lookTimeout'> = {},
): ConnectorContext {
  return {
    egress: egress.of(organizationId),
    ...limits,
    ...(duckdbDir === undefined ? {} : { folder: path.join(duckdbDir, organizationId) }),
  };
}

/** Opens a connection with its secrets. The caller closes the session. @throws not_found */
export async function openConnection(
  deps: OpenDependencies,
  organizationId: string,
  connectionId: string,
  signal?: AbortSignal,
  lookTimeout?: number,
): Promise<{ connection: Connection; session: Session }> {
  const connection = await getConnection(deps.db, organizationId, connectionId);
  const configuration = openConfiguration(connection, deps.keyRing);
  const context = contextOf(deps, organizationId, {
    ...(signal === undefined ? {} : { signal }),
    ...(lookTimeout === undefined ? {} : { lookTimeout }),
  });
  return { connection, session: connectorOf(connection.type).open(configuration, context) };
}

/** Opens a connection, uses it, and closes it whatever happens. */
export async function withConnection<Result>(
  deps: OpenDependencies,
  organizationId: string,
  connectionId: string,
  use: (session: Session, connection: Connection) => Promise<Result>,
): Promise<Result> {
  const { connection, session } = await openConnection(deps, organizationId, connectionId);
  try {
    return await use(session, connection);
  } finally {
    await session.close();
  }
}

/** @throws unprocessable for a type that no connector has. */
export function connectorOf(type: string): Connector {
  const connector = findConnector(type);
  if (connector === undefined) {
    const near = orMeant(
      type,
      connectors.map(({ id }) => id),
    );
    throw new TidemarkError('unprocessable', {
      reason: `type: there is no connector ${type}${near}; GET /api/connection_types lists them`,
    });
  }
  return connector;
}
