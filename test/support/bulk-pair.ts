import type {
  BulkDestination,
  BulkOutput,
  BulkRead,
  BulkSource,
  BulkTable,
  Committed,
  LoadPlan,
  WireFormat,
} from '../../src/connectors/contract.ts';
import { bulkDestination } from '../../src/connectors/postgresql/bulk-destination.ts';
import { bulkSource } from '../../src/connectors/postgresql/bulk-source.ts';
import { connector } from '../../src/connectors/postgresql/client.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import { type TestDatabase, testDatabase } from './database.ts';
import { loopback } from './egress.ts';
import { postgresqlConfiguration } from './http.ts';

/** Two databases and the connector's ends of a bulk sync between them. */
export interface Pair {
  source: TestDatabase;
  destination: TestDatabase;
  from: BulkSource;
  to: BulkDestination;
}

export async function pair(sql?: string): Promise<Pair> {
  const [source, destination] = [await testDatabase(), await testDatabase()];
  if (sql !== undefined) await source.query(sql);
  return {
    source,
    destination,
    from: bulkSource(connectTo(source)),
    to: bulkDestination(connectTo(destination)),
  };
}

export const execution = '0198a5a0-0000-7000-8000-000000000001';

export const connectTo = ({ url }: TestDatabase) =>
  connector({ ...postgresqlConfiguration(url), client_certs: false }, { egress: loopback });

export const outputOf = (
  table: BulkTable,
  schema = 'copy',
  name = table.schemaId.replace(/^[^.]*\./, ''),
): BulkOutput => ({
  origin: table.origin,
  schema,
  name,
  columns: table.columns,
  primaryKey: table.primaryKey,
});

export const planOf = (plan: Partial<LoadPlan> = {}): LoadPlan => ({
  executionId: execution,
  mode: 'replace',
  truncate: false,
  ranged: false,
  ...plan,
});

export interface Replication {
  format?: WireFormat;
  plan?: Partial<LoadPlan>;
  read?: BulkRead;
  output?: Partial<BulkOutput>;
  position?: JsonObject;
}

/** Copies one table from end to end. */
export async function replicate(
  { from, to }: Pick<Pair, 'from' | 'to'>,
  schemaId: string,
  { format = 'pg-binary', plan, read = {}, output, position = {} }: Replication = {},
): Promise<Committed & { rows: number }> {
  const table = await from.table(schemaId, undefined);
  const load = await to.load({ ...outputOf(table), ...output }, planOf(plan));
  try {
    const { rows } = await load.write(await from.read(table, format, read), format);
    return { ...(await load.commit(position)), rows };
  } catch (error) {
    await load.discard();
    throw error;
  }
}

/** Every table of a database but Tidemark's own. */
export const tablesOf = async (database: TestDatabase) =>
  (
    await database.query<{ name: string }>(
      `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind = 'r' and n.nspname !~ '^(pg_|information_schema)' and c.relname <> '_tidemark_state' order by 1`,
    )
  ).map(({ name }) => name);
