import type {
  BulkDestination,
  BulkOutput,
  BulkSource,
  Committed,
  LoadPlan,
  ValueWarning,
} from '../../src/connectors/contract.ts';
import { bulkDestination } from '../../src/connectors/mysql/bulk-destination.ts';
import { connector } from '../../src/connectors/mysql/client.ts';
import { bulkSource } from '../../src/connectors/postgresql/bulk-source.ts';
import { connectTo, outputOf, planOf } from './bulk-pair.ts';
import { type TestDatabase, testDatabase } from './database.ts';
import { loopback } from './egress.ts';
import { type MariadbDatabase, mariadbDatabase } from './mariadb.ts';

/** A PostgreSQL database and a MariaDB that its tables go to. */
export interface MariadbPair {
  source: TestDatabase;
  destination: MariadbDatabase;
  from: BulkSource;
  to: BulkDestination;
}

export async function mariadbPair(sql: string): Promise<MariadbPair> {
  const [source, destination] = [await testDatabase(), await mariadbDatabase()];
  await source.query(sql);
  await destination.query(`set time_zone = '+00:00'`);
  const to = bulkDestination(connector(destination.configuration, { egress: loopback }));
  return { source, destination, from: bulkSource(connectTo(source)), to };
}

/** The output of a table of `public`, under its own name. */
export async function mariadbOutput(
  { from, destination }: MariadbPair,
  table: string,
  more: Partial<BulkOutput> = {},
): Promise<BulkOutput> {
  return { ...outputOf(await from.table(`public.${table}`, undefined), destination.name, table), ...more };
}

/** Copies a table of `public` from end to end. */
export async function toMariadb(
  pair: MariadbPair,
  name: string,
  plan: Partial<LoadPlan> = {},
  more: Partial<BulkOutput> = {},
  position = {},
): Promise<Committed & { rows: number; warnings: ValueWarning[] }> {
  const table = await pair.from.table(`public.${name}`, undefined);
  const load = await pair.to.load(await mariadbOutput(pair, name, more), planOf(plan));
  try {
    const written = await load.write(await pair.from.read(table, 'copy-text', {}), 'copy-text');
    return { ...(await load.commit(position)), ...written };
  } catch (error) {
    await load.discard();
    throw error;
  }
}

/** Every table of the destination but Tidemark's state. */
export async function mariadbTables({ destination }: MariadbPair): Promise<string[]> {
  const rows = await destination.query<{ name: string }>(
    `select table_name as name from information_schema.tables
     where table_schema = ? and table_name <> '_tidemark_state' order by 1`,
    [destination.name],
  );
  return rows.map(({ name }) => name);
}
