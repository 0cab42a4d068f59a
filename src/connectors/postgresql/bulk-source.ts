import type { Socket } from 'node:net';
import pg, { type Client } from 'pg';
import type { BulkSource, BulkTable, WireFormat } from '../contract.ts';
import { CopyOut } from './bulk-copy-out.ts';
import { lostOrRefused } from './bulk-errors.ts';
import { openSession } from './bulk-session.ts';
import { RecyclingSocket } from './bulk-socket.ts';
import { describeTable, findRelation, type Relation } from './bulk-table.ts';

/** Opens a connection that nobody else uses, whose text output is the same on every server. Who asked ends it. */
export type Connect = (applicationName: string, socket?: () => Socket) => Promise<Client>;

const begin = 'begin isolation level repeatable read read only';

export function bulkSource(connect: Connect): BulkSource {
  return {
    async table(schemaId, columns) {
      const client = await open(connect);
      try {
        return await describeTable(client, schemaId, columns);
      } catch (error) {
        throw lostOrRefused(error);
      } finally {
        await client.end();
      }
    },

    async read(table, format) {
      const client = await open(connect);
      try {
        await client.query(begin);
        const relation = await findRelation(client, table.schemaId);
        const rows = client.query(
          new CopyOut(copyStatement(relation, table, format), format === 'pg-binary'),
        );
        rows.once('close', () => void client.end().catch(ignore));
        return rows;
      } catch (error) {
        await client.end();
        throw lostOrRefused(error);
      }
    },
  };
}

function open(connect: Connect): Promise<Client> {
  return openSession(connect, 'tidemark bulk read', () => new RecyclingSocket());
}

/** The rows are out, or the stream has already said what went wrong. */
function ignore(): void {}

/** A cast to the type a column already has costs nothing: the planner drops it. */
function copyStatement(relation: Relation, table: BulkTable, format: WireFormat): string {
  const columns = table.columns.map(({ name, type }) => `${pg.escapeIdentifier(name)}::${type}`);
  const options = format === 'pg-binary' ? ' (format binary)' : '';
  return `copy (select ${columns.join(', ')} from ${relation.name}) to stdout${options}`;
}
