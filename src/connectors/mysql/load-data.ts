import { Readable } from 'node:stream';
import type { Connection, ResultSetHeader } from 'mysql2/promise';
import type { BulkOutput, RowStream } from '../contract.ts';
import { Written } from '../row-counts.ts';
import { type OutputColumn, outputColumns } from './bulk-columns.ts';
import { outputKey, refuse, sideOf } from './bulk-names.ts';
import { rowsOf } from './client.ts';
import { isServerError } from './errors.ts';
import { insertLines } from './insert-lines.ts';
import { identifier } from './quote.ts';
import { targetLines } from './target-lines.ts';
import { Warnings } from './warnings.ts';

/** The least that a server may be set to is 1 KB; what one is set to is 16 MB or more. */
const packetLength = 512 * 1024;

/** LOCAL is not allowed: by MySQL, and by MariaDB in two ways. */
const localIsForbidden = new Set([3948, 1148, 4166]);

/** Loads rows into the side table, in the transaction that is open. @throws unprocessable when any of them does not fit. */
export async function loadRows(
  connection: Connection,
  output: BulkOutput,
  rows: RowStream,
): Promise<Written> {
  const columns = outputColumns(output);
  const warnings = new Warnings();
  const loaded = columns.map(({ source: name, change }) => ({ name, change }));
  let failure: unknown;
  const lines = async function* () {
    try {
      yield* targetLines(rows, loaded, warnings);
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  try {
    const count = await loadLines(connection, output, columns, lines);
    return Written.of(rows, count, warnings.list);
  } catch (error) {
    throw failure ?? error;
  }
}

async function loadLines(
  connection: Connection,
  output: BulkOutput,
  columns: readonly OutputColumn[],
  lines: () => AsyncIterable<Buffer>,
): Promise<number> {
  let asked = false;
  try {
    const [result] = await connection.query<ResultSetHeader>({
      sql: statement(output, columns),
      infileStreamFactory: () => {
        asked = true;
        return Readable.from(inPackets(lines()), { objectMode: false, highWaterMark: packetLength });
      },
    });
    // The server goes on past rows that do not fit, and only counts them: it cannot stop the stream.
    if (result.warningStatus > 0) await refuseFirst(connection, output);
    return result.affectedRows;
  } catch (error) {
    if (asked || !isServerError(error) || !localIsForbidden.has(error.errno)) throw error;
    return insertLines(connection, output, columns, lines());
  }
}

/** Each piece of the stream is a packet, and no packet may be longer than the server's max_allowed_packet. */
async function* inPackets(lines: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of lines) {
    for (let at = 0; at < chunk.length; at += packetLength) yield chunk.subarray(at, at + packetLength);
  }
}

function statement(output: BulkOutput, columns: readonly OutputColumn[]): string {
  const variable = (index: number) => `@v${index}`;
  const fields = columns.map(({ name, value }, index) =>
    value === undefined ? identifier(name) : variable(index),
  );
  const assigned = columns.flatMap(({ name, value }, index) =>
    value === undefined ? [] : [`${identifier(name)} = ${value(variable(index))}`],
  );
  if (output.syncedAt !== undefined) assigned.push(`${identifier(output.syncedAt)} = utc_timestamp(6)`);
  const set = assigned.length === 0 ? '' : ` set ${assigned.join(', ')}`;
  return String.raw`load data local infile 'tidemark' into table ${sideOf(output)} character set utf8mb4
    fields terminated by '\t' escaped by '\\' lines terminated by '\n' (${fields.join(', ')})${set}`;
}

async function refuseFirst(connection: Connection, output: BulkOutput): Promise<never> {
  const [first] = await rowsOf<{ Code: number; Message: string }>(connection, 'show warnings limit 1');
  throw rowProblem(Number(first?.Code), first?.Message ?? 'some row does not fit', output);
}

/** @throws unprocessable, in the words of the table where the server's are about its own. */
export function rowProblem(code: number, message: string, output: BulkOutput): never {
  const name = `${output.schema}.${output.name}`;
  const key = outputKey(output);
  if (code === 1062) {
    refuse(
      `The key (${key.join(', ')}) of ${name} has a value twice: ${message}; set another primary key for the schema, or none to replace the table each time`,
    );
  }
  const column = /column '([^']*)'/i.exec(message)?.[1];
  if ((code === 1048 || code === 1263) && column !== undefined && key.includes(column)) {
    refuse(`${column}, in the key (${key.join(', ')}) of ${name}, is NULL in some row`);
  }
  if ((code === 1265 || code === 1406) && column !== undefined && key.includes(column)) {
    refuse(
      `${column}, in the key (${key.join(', ')}) of ${name}, is longer than a key of MySQL can be: ${message}`,
    );
  }
  refuse(`${name} does not take the rows: ${message}`);
}
