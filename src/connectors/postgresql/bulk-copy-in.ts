import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Client, Connection } from 'pg';
import { copyDataHeader } from '../../lib/pg-frames.ts';
import type { BulkColumn, RowStream, WireFormat } from '../contract.ts';
import { Written } from '../row-counts.ts';
import { lostOrAnswer } from './bulk-errors.ts';
import { ChangedValues, RewrittenRows } from './copy-text-values.ts';
import { knownCharacters } from './encodings.ts';
import { onlyKnown } from './rewrite-text.ts';
import { serverEncoding } from './transaction.ts';

/** What pg has and its types do not mention. */
type CopyConnection = Connection & { endCopyFrom(): void };

/**
 * Stores rows by `COPY … FROM STDIN`. Of COPY text the server may not have every character.
 *
 * @param into the table, and options of the COPY.
 */
export async function copyRowsIn(
  client: Client,
  { table, options = [] }: { table: string; options?: readonly string[] },
  rows: RowStream,
  format: WireFormat,
  columns: readonly BulkColumn[],
): Promise<Written> {
  const binary = format === 'pg-binary';
  const all = [...options, ...(binary ? ['format binary'] : [])];
  const sql = `copy ${table} from stdin${all.length === 0 ? '' : ` (${all.join(', ')})`}`;
  const known = binary ? undefined : knownCharacters(serverEncoding(client));
  if (known === undefined) return Written.of(rows, await copyIn(client, sql, rows, binary), []);
  const values = new ChangedValues(
    'unknown_character_replaced',
    columns.map(({ name }) => name),
  );
  const count = await copyIn(client, sql, new RewrittenRows(rows, values, onlyKnown(known)), false);
  return Written.of(rows, count, values.warnings);
}

/**
 * Runs `COPY … FROM STDIN` with what `rows` gives: CopyData frames, forwarded as they are, or bytes to be
 * framed here. Returns the rows the server counted.
 *
 * On any failure the connection is closed: the frame under way may be cut, so nothing else could be sent.
 */
async function copyIn(client: Client, sql: string, rows: RowStream, framed: boolean): Promise<number> {
  const copy = client.query(new CopyIn(sql, framed, rows));
  await pipeline(rows, copy);
  return copy.rowCount;
}

class CopyIn extends Writable {
  rowCount = 0;
  readonly #sql: string;
  readonly #framed: boolean;
  readonly #rows: RowStream;
  #connection: CopyConnection | undefined;
  /** Set while the server has not asked for data yet. */
  #waiting: (() => void) | undefined;
  #ready = false;
  #complete: ((error?: Error | null) => void) | undefined;

  constructor(sql: string, framed: boolean, rows: RowStream) {
    super({ highWaterMark: 0 });
    this.#sql = sql;
    this.#framed = framed;
    this.#rows = rows;
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (!this.#ready) {
      this.#waiting = () => this._write(chunk, _encoding, done);
      return;
    }
    const stream = this.#connection?.stream;
    if (stream === undefined) return;
    stream.cork();
    if (!this.#framed) stream.write(copyDataHeader(chunk.length));
    const more = stream.write(chunk, () => this.#rows.recycle?.(chunk));
    stream.uncork();
    // The socket's own buffer bounds what is under way; "drain" comes when it is empty again.
    if (more) done();
    else stream.once('drain', done);
  }

  override _final(done: (error?: Error | null) => void): void {
    const end = () => {
      this.#complete = done;
      this.#connection?.endCopyFrom();
    };
    if (this.#ready) end();
    else this.#waiting = end;
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#connection?.stream.destroy();
    done(error);
  }

  submit(connection: Connection): void {
    this.#connection = connection as CopyConnection;
    connection.query(this.#sql);
  }

  handleCopyInResponse(): void {
    this.#ready = true;
    this.#waiting?.();
    this.#waiting = undefined;
  }

  handleCommandComplete(message: { text: string }): void {
    this.rowCount = Number(message.text.replace(/^COPY /, ''));
  }

  handleReadyForQuery(): void {
    this.#connection = undefined;
    this.#complete?.();
  }

  handleError(error: Error): void {
    this.destroy(lostOrAnswer(error) as Error);
  }
}
