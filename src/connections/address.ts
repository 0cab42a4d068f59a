import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Value } from 'typebox/value';
import type { Connector } from '../connectors/index.ts';
import type { Json, JsonObject } from '../lib/json.ts';
import { connectorOf } from './open.ts';
import type { Connection } from './store.ts';

/**
 * Tells what a connection leads to from what else it could lead to. Another password or user is the same place, another
 * name of the same server is not: what is there is not asked.
 */
export function addressOf({ type, configuration }: Pick<Connection, 'type' | 'configuration'>): string {
  const { server, within } = connectorOf(type).address;
  const values = valuesOf(connectorOf(type), configuration, [...server, ...within]);
  return createHash('sha256').update(JSON.stringify(values)).digest('base64url');
}

/** The first key by which two configurations lead to different servers: secrets of the one are not for the other. */
export function movedBy(connector: Connector, before: JsonObject, after: JsonObject): string | undefined {
  return connector.address.server.find(
    (key) => !isDeepStrictEqual(valuesOf(connector, before, [key]), valuesOf(connector, after, [key])),
  );
}

/** @param keys dotted. */
function valuesOf(
  { configuration: schema }: Connector,
  configuration: JsonObject,
  keys: readonly string[],
): Json[] {
  const complete = Value.Default(schema, structuredClone(configuration)) as JsonObject;
  return keys.map((key) =>
    key
      .split('.')
      .reduce<Json>((value, part) => (value as JsonObject | null | undefined)?.[part] ?? null, complete),
  );
}
