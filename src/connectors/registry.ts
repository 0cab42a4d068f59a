import type { Connector } from './contract.ts';
import { csv } from './csv/index.ts';
import { duckdb } from './duckdb/index.ts';
import { httpenrichment } from './httpenrichment/index.ts';
import { mysql } from './mysql/index.ts';
import { postgresql } from './postgresql/index.ts';
import { s3 } from './s3/index.ts';
import { webhook } from './webhook/index.ts';

/** Every connector, one line each. */
export const connectors: readonly Connector[] = [csv, duckdb, httpenrichment, mysql, postgresql, s3, webhook];

const byId = new Map(connectors.map((connector) => [connector.id, connector]));

/** @param type connection type id, e.g. `postgresql`. */
export function findConnector(type: string): Connector | undefined {
  return byId.get(type);
}
