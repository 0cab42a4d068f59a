import type { FastifyReply, FastifyRequest } from 'fastify';
import { connectorOf, findConnection, getConnection } from '../connections/index.ts';
import type { Database } from '../db/index.ts';
import type { ModelRequest } from '../schema/model.ts';
import { organizationOf } from './authentication.ts';
import { noteMembers } from './members.ts';

/** Parts of requests of which a connector says what is read. */

export function noteConfiguration(
  request: FastifyRequest,
  reply: FastifyReply,
  type: string,
  configuration: unknown,
): void {
  noteMembers(request, reply, connectorOf(type).configuration, configuration, 'configuration');
}

/** `configuration` of a model, and of its enricher. Connections that there are not are refused where they are used. */
export async function noteModelConfigurations(
  db: Database,
  request: FastifyRequest,
  reply: FastifyReply,
  { connection_id, configuration, enricher }: ModelRequest,
): Promise<void> {
  const typeOf = async (id: string | undefined) => {
    const { type } = (await findConnection(db, organizationOf(request), id ?? '')) ?? {};
    return type === undefined ? undefined : connectorOf(type);
  };
  const schema = (await typeOf(connection_id))?.modelConfiguration;
  if (schema !== undefined) noteMembers(request, reply, schema, configuration, 'configuration');
  const looked = (await typeOf(enricher?.connection_id))?.enricherConfiguration;
  if (looked !== undefined)
    noteMembers(request, reply, looked, enricher?.configuration, 'enricher.configuration');
}

/** `target.configuration` of a model sync. */
export async function noteTargetConfiguration(
  db: Database,
  request: FastifyRequest,
  reply: FastifyReply,
  target: { connection_id: string; configuration?: unknown },
): Promise<void> {
  const { type } = await getConnection(db, organizationOf(request), target.connection_id);
  const schema = connectorOf(type).targetConfiguration ?? { properties: {} };
  noteMembers(request, reply, schema, target.configuration, 'target.configuration');
}
