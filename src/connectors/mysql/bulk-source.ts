import type { Connection } from 'mysql2/promise';
import { compile, mysql } from '../../conditions/index.ts';
import type { BulkSource } from '../contract.ts';
import { rangesOf, withinRange } from './bulk-ranges.ts';
import { describeTable, readableColumns } from './bulk-table.ts';
import { boundOf, newest, reaches, sinceBound, stands } from './bulk-tracking.ts';
import { breakOff, type Connect, withConnection } from './client.ts';
import { lostOrRefused } from './errors.ts';
import { fieldOf } from './model-query.ts';
import { qualified } from './quote.ts';
import { SelectedRows } from './row-stream.ts';
import { selected } from './selected.ts';

const begin = 'start transaction with consistent snapshot, read only';

export function bulkSource(connect: Connect): BulkSource {
  const ask = async <Result>(use: (connection: Connection) => Promise<Result>): Promise<Result> => {
    try {
      return await withConnection(connect, use);
    } catch (error) {
      throw lostOrRefused(error);
    }
  };
  return {
    table: (schemaId, columns) => ask((connection) => describeTable(connection, schemaId, columns)),
    trackingBound: (table, field) => ask((connection) => boundOf(connection, table, field)),
    reaches: (table, field, from) => ask((connection) => reaches(connection, table, field, from)),
    newest: (table, field, bound) => ask((connection) => newest(connection, table, field, bound)),
    stands: (table, field, rows) => ask((connection) => stands(connection, table, field, rows)),
    ranges: (table, rows) => ask((connection) => rangesOf(connection, table, rows)),

    async read(table, _format, { tracking, range, filter, salt }) {
      let connection: Connection | undefined;
      try {
        connection = await connect({ recycles: true });
        await connection.query(begin);
        const { table: from, columns, all } = await readableColumns(connection, table);
        const conditions = [
          ...(tracking === undefined ? [] : [sinceBound(all, tracking)]),
          ...(range === undefined ? [] : [withinRange(range)]),
          ...(filter === undefined ? [] : [compile(filter, all.map(fieldOf), mysql)]),
        ];
        const where = conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;
        const { list, rendered, checked } = selected(columns, salt);
        const sql = `select ${list} from ${qualified(from.database, from.name)}${where}`;
        const rows = new SelectedRows(connection, sql, rendered, checked);
        const ended = connection;
        rows.once('close', () => void ended.end().catch(ignore));
        return rows;
      } catch (error) {
        if (connection !== undefined) breakOff(connection);
        throw lostOrRefused(error);
      }
    },
  };
}

/** The rows are out, or the stream has already said what went wrong. */
function ignore(): void {}
