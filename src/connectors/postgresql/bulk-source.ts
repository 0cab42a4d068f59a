import type { Socket } from 'node:net';
import type { Client } from 'pg';
import { RecyclingSocket } from '../../lib/recycling-socket.ts';
import type { BulkSource } from '../contract.ts';
import { CopyOut } from './bulk-copy-out.ts';
import { lostOrRefused } from './bulk-errors.ts';
import { keyRanges } from './bulk-ranges.ts';
import { copyStatement } from './bulk-select.ts';
import { openSession } from './bulk-session.ts';
import { describeTable, findRelation } from './bulk-table.ts';
import { greatest } from './bulk-tracking.ts';

/** Opens a connection that nobody else uses, whose text output is the same on every server. Who asked ends it. */
export type Connect = (applicationName: string, socket?: () => Socket) => Promise<Client>;

const begin = 'begin isolation level repeatable read read only';

export function bulkSource(connect: Connect): BulkSource {
  const open = () => openSession(connect, 'tidemark bulk read', () => new RecyclingSocket());
  const ask = async <Answer>(question: (client: Client) => Promise<Answer>): Promise<Answer> => {
    const client = await open();
    try {
      return await question(client);
    } catch (error) {
      throw lostOrRefused(error);
    } finally {
      await client.end();
    }
  };
  return {
    table: (schemaId, columns) => ask((client) => describeTable(client, schemaId, columns)),
    trackingBound: (table, field) => ask((client) => greatest(client, table, field)),
    ranges: (table, rows) => ask((client) => keyRanges(client, table, rows)),

    async read(table, format, read) {
      const client = await open();
      try {
        await client.query(begin);
        const relation = await findRelation(client, table.schemaId);
        const statement = await copyStatement(client, relation, table, format, read);
        const rows = client.query(new CopyOut(statement, format === 'pg-binary'));
        rows.once('close', () => void client.end().catch(ignore));
        return rows;
      } catch (error) {
        await client.end();
        throw lostOrRefused(error);
      }
    },
  };
}

/** The rows are out, or the stream has already said what went wrong. */
function ignore(): void {}
