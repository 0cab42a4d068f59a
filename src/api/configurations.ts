import type { FastifyReply, FastifyRequest } from 'fastify';
import { connectorOf, getConnection } from '../connections/index.ts';
import type { Database } from '../db/index.ts';
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
