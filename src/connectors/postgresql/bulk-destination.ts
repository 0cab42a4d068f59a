import { createHash } from 'node:crypto';
import pg, { type Client } from 'pg';
import type { BulkDestination, BulkOutput, TableLoad } from '../contract.ts';
import { copyIn } from './bulk-copy-in.ts';
import { lostOrRefused } from './bulk-errors.ts';
import { destinationOptions } from './bulk-options.ts';
import type { Connect } from './bulk-source.ts';
import { checkReplaceable, swap } from './bulk-swap.ts';
import { takeTurn } from './bulk-turn.ts';

/**
 * Everything from the side table to the swap is one transaction: a run that is killed at any moment leaves
 * nothing behind, because the server rolls back. The price is one open transaction per load, which the COPY
 * alone would take anyway. (Loading a committed side table instead would need cleaning up after every crash.)
 */
export function bulkDestination(connect: Connect): BulkDestination {
  return {
    formats: ['pg-binary', 'copy-text'],
    options: destinationOptions,
    position: async () => undefined,
    async load(output, { executionId }) {
      const applicationName = `tidemark load ${executionId}`;
      const client = await connect(applicationName).catch((error: unknown) => {
        throw lostOrRefused(error);
      });
      try {
        await client.query('set statement_timeout = 0; set idle_in_transaction_session_timeout = 0');
        await createSchema(client, output.schema);
        await client.query('begin');
        await takeTurn(client, output, applicationName);
        await checkReplaceable(client, output);
        return await loadInto(client, output, executionId);
      } catch (error) {
        close(client);
        throw lostOrRefused(error);
      }
    },
  };
}

async function loadInto(client: Client, output: BulkOutput, executionId: string): Promise<TableLoad> {
  const sideName = `tidemark_${digest(`${executionId} ${output.name}`)}`;
  const side = `${pg.escapeIdentifier(output.schema)}.${pg.escapeIdentifier(sideName)}`;
  // NOT NULL from the start: adding the primary key would read the whole table once more to check it.
  const columns = output.columns.map(
    ({ name, outputName, type }) =>
      `${pg.escapeIdentifier(outputName)} ${type}${output.primaryKey.includes(name) ? ' not null' : ''}`,
  );
  await client.query(`create table ${side} (${columns.join(', ')})`);
  const abort = async () => close(client);
  return {
    stored: new Map(),
    async write(rows, format) {
      const binary = format === 'pg-binary';
      // FREEZE: the rows need no later vacuum, and a transaction older than the swap, which finds the new
      // table under the old name, sees its rows instead of an empty table.
      const options = binary ? 'format binary, freeze' : 'freeze';
      try {
        const count = await copyIn(client, `copy ${side} from stdin (${options})`, rows, binary);
        return { rows: count, warnings: [] };
      } catch (error) {
        close(client);
        throw lostOrRefused(error);
      }
    },
    async commit() {
      try {
        await addPrimaryKey(client, side, output);
        await swap(client, output, sideName);
        await client.query('commit');
      } catch (error) {
        close(client);
        throw lostOrRefused(error);
      }
      void analyzeAndEnd(client, output);
      return { changes: [] };
    },
    abort,
    discard: abort,
  };
}

async function addPrimaryKey(client: Client, side: string, output: BulkOutput): Promise<void> {
  if (output.primaryKey.length === 0) return;
  const columns = output.columns.filter(({ name }) => output.primaryKey.includes(name));
  const inKeyOrder = output.primaryKey.map(
    (key) => columns.find(({ name }) => name === key)?.outputName ?? key,
  );
  // Sorting in memory halves the build; the session ends right after.
  await client.query(
    `select set_config('maintenance_work_mem', '256MB', true)
     where pg_size_bytes(current_setting('maintenance_work_mem')) < pg_size_bytes('256MB')`,
  );
  const list = inKeyOrder.map((name) => pg.escapeIdentifier(name)).join(', ');
  await client.query(`alter table ${side} add primary key (${list})`);
}

/**
 * Statistics of the columns, for the planner. Nobody waits for them: the rows are live, their number is known
 * from the key's build or the file's size, and where this fails autovacuum does the same a minute later.
 */
async function analyzeAndEnd(client: Client, output: BulkOutput): Promise<void> {
  const live = `${pg.escapeIdentifier(output.schema)}.${pg.escapeIdentifier(output.name)}`;
  try {
    await client.query(`analyze ${live}`);
    await client.end();
  } catch {
    close(client);
  }
}

/** CREATE SCHEMA IF NOT EXISTS asks for the right to create even when there is nothing to do. */
async function createSchema(client: Client, name: string): Promise<void> {
  const { rowCount } = await client.query('select from pg_namespace where nspname = $1', [name]);
  if (rowCount !== 0) return;
  try {
    await client.query(`create schema if not exists ${pg.escapeIdentifier(name)}`);
  } catch (error) {
    // Another table of the same run created it at the same moment.
    if (!(error instanceof pg.DatabaseError && error.code === '23505')) throw error;
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Ends the session at once, in whatever state the protocol is: the server rolls back. */
function close(client: Client): void {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}
