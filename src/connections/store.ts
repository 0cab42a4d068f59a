import type { Database } from '../db/index.ts';
import { notFound } from '../errors.ts';
import type { JsonObject } from '../lib/json.ts';
import { isUuid } from '../lib/uuid.ts';
import type { Actor } from '../organizations/index.ts';
import type { StoredConfiguration } from './secrets.ts';

export interface Connection extends StoredConfiguration {
  id: string;
  organizationId: string;
  name: string;
  type: string;
  status: string;
  statusError: string | null;
  healthcheckInterval: string | null;
  policies: string[];
  createdBy: Actor | null;
  updatedBy: Actor | null;
  createdAt: string;
  updatedAt: string;
}

export const connectionColumns = [
  'id',
  'organization_id',
  'name',
  'type',
  'configuration',
  'secrets',
  'status',
  'status_error',
  'healthcheck_interval',
  'policies',
  'created_by',
  'updated_by',
  'created_at',
  'updated_at',
] as const;

/** What a select of `connectionColumns` gives. */
export interface ConnectionRow {
  id: string;
  organization_id: string;
  name: string;
  type: string;
  configuration: unknown;
  secrets: Buffer | null;
  status: string;
  status_error: string | null;
  healthcheck_interval: string | null;
  policies: string[];
  created_by: unknown;
  updated_by: unknown;
  created_at: string;
  updated_at: string;
}

export function toConnection(row: ConnectionRow): Connection {
  return {
    id: row.id,
    organizationId: row.organization_id,
    name: row.name,
    type: row.type,
    configuration: row.configuration as JsonObject,
    secrets: row.secrets,
    status: row.status,
    statusError: row.status_error,
    healthcheckInterval: row.healthcheck_interval,
    policies: row.policies,
    createdBy: row.created_by as Actor | null,
    updatedBy: row.updated_by as Actor | null,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

export async function listConnections(db: Database, organizationId: string): Promise<Connection[]> {
  const rows = await db
    .selectFrom('connections')
    .select(connectionColumns)
    .where('organization_id', '=', organizationId)
    .orderBy('name')
    .execute();
  return rows.map(toConnection);
}

/** @throws not_found for an unknown id or another organization's. */
export async function getConnection(db: Database, organizationId: string, id: string): Promise<Connection> {
  const found = await findConnection(db, organizationId, id);
  if (found === undefined) throw notFound('connection', id);
  return found;
}

export async function findConnection(
  db: Database,
  organizationId: string,
  id: string,
): Promise<Connection | undefined> {
  if (!isUuid(id)) return undefined;
  const row = await db
    .selectFrom('connections')
    .select(connectionColumns)
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst();
  return row && toConnection(row);
}

/** The organization a connection belongs to: for a partner, who may ask in every one. @throws not_found */
export async function connectionOwner(db: Database, id: string): Promise<string> {
  const row = isUuid(id)
    ? await db.selectFrom('connections').select('organization_id').where('id', '=', id).executeTakeFirst()
    : undefined;
  if (row === undefined) throw notFound('connection', id);
  return row.organization_id;
}
