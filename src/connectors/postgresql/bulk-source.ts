import type { Socket } from 'node:net';
import type { Client } from 'pg';
import { bytesAhead } from '../../lib/pg-copy-out.ts';
import { RecyclingSocket } from '../../lib/recycling-socket.ts';
import type { BulkSource } from '../contract.ts';
import type { KeptConnection } from '../kept-connection.ts';
import { CopyOutRows } from './bulk-copy-out.ts';
import { lostOrRefused } from './bulk-errors.ts';
import { IdleSessions } from './bulk-idle-sessions.ts';
import { keyRanges } from './bulk-ranges.ts';
import { copyStatement } from './bulk-select.ts';
import { breakOff, openSession } from './bulk-session.ts';
import { describeTable, findRelation } from './bulk-table.ts';
import { greatest, holdsBelow, reaches } from './bulk-tracking.ts';
import { ChangedValues, RewrittenRows } from './copy-text-values.ts';
import { onlyUtf8 } from './rewrite-text.ts';
import { begin, keepsBytes, readBytes } from './transaction.ts';

/** Opens a connection that nobody else uses, for transactions that `begin` begins. Who asked ends it. */
export interface Connect {
  (applicationName: string, socket?: () => Socket): Promise<Client>;
  /** Between two questions. */
  kept?: KeptConnection<Client> | undefined;
}

/**
 * A range's rows are found in the index and then read in the order of the table's pages. In the order of the index, as
 * the planner likes it where the two agree, every row is looked up alone: a fifth more CPU time per row, and from cold
 * disks nothing is read ahead. Several ranges are read at a time: workers that help with one would only add the copying
 * of each row to the session that asked, an eighth of the whole load's CPU time.
 */
const rangePlan = `set local enable_indexscan = off; set local enable_seqscan = off;
  set local max_parallel_workers_per_gather = 0`;

export function bulkSource(connect: Connect): BulkSource {
  const sessions = new IdleSessions(() =>
    openSession(connect, 'tidemark bulk read', () => new RecyclingSocket()),
  );
  const ask = async <Answer>(question: (client: Client) => Promise<Answer>): Promise<Answer> => {
    const client = await sessions.take();
    try {
      await begin(client, 'look', { path: 'system' });
      await readBytes(client);
      const answer = await question(client);
      await client.query('commit');
      sessions.giveBack(client);
      return answer;
    } catch (error) {
      breakOff(client);
      throw lostOrRefused(error);
    }
  };
  return {
    table: (schemaId, columns) => ask((client) => describeTable(client, schemaId, columns)),
    trackingBound: (table, field) => ask((client) => greatest(client, table, field)),
    reaches: (table, field, from) => ask((client) => reaches(client, table, field, from)),
    holdsBelow: (_table, parts, field, from) => ask((client) => holdsBelow(client, parts, field, from)),
    ranges: (table, rows) => ask((client) => keyRanges(client, table, rows)),

    async read(table, format, read) {
      const client = await sessions.take();
      try {
        await begin(client, 'snapshot', { path: 'system' });
        if (read.range !== undefined) await client.query(rangePlan);
        const relation = await findRelation(client, table.schemaId);
        const statement = await copyStatement(client, relation, table, format, read);
        await readBytes(client);
        const rows = client.query(new CopyOutRows(statement, format === 'pg-binary', bytesAhead));
        rows.once('close', () => {
          if (!rows.readableEnded) breakOff(client);
          else void client.query('commit').then(() => sessions.giveBack(client), ignore);
        });
        if (!keepsBytes(client)) return rows;
        const columns = table.columns.map(({ name }) => name);
        return new RewrittenRows(rows, new ChangedValues('invalid_utf8_replaced', columns), onlyUtf8);
      } catch (error) {
        breakOff(client);
        throw lostOrRefused(error);
      }
    },
  };
}

/** The rows are out, or the stream has already said what went wrong. */
function ignore(): void {}
