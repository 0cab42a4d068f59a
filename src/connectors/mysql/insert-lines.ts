import type { Connection, ResultSetHeader } from 'mysql2/promise';
import { decodeCopyText } from '../../lib/copy-text.ts';
import type { BulkOutput } from '../contract.ts';
import type { OutputColumn } from './bulk-columns.ts';
import { refuse, sideOf } from './bulk-names.ts';
import { rowsOf } from './client.ts';
import { identifier, literal } from './quote.ts';

/** Characters of a statement, well below what a server takes; a single row may be longer. */
const statementLength = 1024 * 1024;

/** The same rows by INSERT, several times slower: for servers that do not allow LOAD DATA LOCAL. */
export async function insertLines(
  connection: Connection,
  output: BulkOutput,
  columns: readonly OutputColumn[],
  lines: AsyncIterable<Buffer>,
): Promise<number> {
  const own = output.syncedAt === undefined ? [] : [identifier(output.syncedAt)];
  const names = [...columns.map(({ name }) => identifier(name)), ...own].join(', ');
  const insert = `insert into ${sideOf(output)} (${names}) values `;
  const [packet] = await rowsOf<{ bytes: string }>(connection, 'select @@max_allowed_packet as bytes');
  const most = Number(packet?.bytes);
  let [values, length, count] = [[] as string[], 0, 0];
  const flush = async () => {
    if (values.length === 0) return;
    const [result] = await connection.query<ResultSetHeader>(insert + values.join(', '));
    count += result.affectedRows;
    [values, length] = [[], 0];
  };
  for await (const rows of decodeCopyText(lines)) {
    for (const row of rows) {
      const fields = columns.map(({ value }, index) => {
        const text = row[index] ?? null;
        if (text === null) return 'null';
        return value === undefined ? literal(text) : value(literal(text));
      });
      const tuple = `(${[...fields, ...own.map(() => 'utc_timestamp(6)')].join(', ')})`;
      if (Buffer.byteLength(tuple) + insert.length > most) {
        refuse(
          `A row of ${output.schema}.${output.name} is longer than the server's max_allowed_packet of ${most} bytes: raise it, or set local_infile = ON, with which rows may be longer`,
        );
      }
      values.push(tuple);
      length += tuple.length;
      if (length > statementLength) await flush();
    }
  }
  await flush();
  return count;
}
