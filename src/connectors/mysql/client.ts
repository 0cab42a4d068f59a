import type { Duplex } from 'node:stream';
import type { Connection, ConnectionOptions, RowDataPacket } from 'mysql2/promise';
import { TidemarkError } from '../../errors.ts';
import { RecyclingSocket } from '../../lib/recycling-socket.ts';
import { type DatabaseReach, databaseSocket } from '../database-socket.ts';
import { KeptConnection } from '../kept-connection.ts';
import { preferringTls } from '../prefer-tls.ts';
import type { Configuration } from './configuration.ts';
import { openConnection } from './open-connection.ts';
import { settle } from './session-settings.ts';

/** Opens a connection of the caller's own, which reads and writes the same on every server. The caller ends it. */
export interface Connect {
  (options?: ConnectOptions): Promise<Connection>;
  /** Between two questions. */
  kept?: KeptConnection<Connection>;
}

export interface ConnectOptions {
  /** For reading gigabytes: its socket reads into memory that is used again. */
  recycles?: boolean;
  /** Milliseconds a statement may take; 0 for no limit. */
  statementLimit?: number;
}

export function connector(
  configuration: Configuration,
  reach: DatabaseReach,
): Connect & { kept: KeptConnection<Connection> } {
  const { signal } = reach;
  const open = preferringTls({ ssl: configuration.ssl, proof: Boolean(configuration.ca_cert) });
  const connect: Connect = async ({ recycles = false, statementLimit = 0 } = {}) => {
    if (configuration.ssh) {
      throw new TidemarkError('unprocessable', {
        reason: 'configuration.ssh: SSH tunnels are not built yet',
      });
    }
    signal?.throwIfAborted();
    const connection = await open(async (encrypted) => {
      // Over TLS the bytes that matter come from the socket that is laid around this one.
      const socket = await databaseSocket(configuration, reach, recycles && !encrypted ? waiting : undefined);
      return openConnection({
        host: configuration.hostname,
        port: configuration.port,
        user: configuration.account,
        password: configuration.passwd,
        ...(configuration.dbname ? { database: configuration.dbname } : {}),
        ...(encrypted ? tls(configuration) : {}),
        stream: () => {
          // Read once the driver listens: the server speaks first.
          process.nextTick(() => socket.resume());
          return socket;
        },
        charset: 'utf8mb4_general_ci',
        connectTimeout: 10_000,
        dateStrings: true,
        supportBigNumbers: true,
        bigNumberStrings: true,
      });
    });
    // The query that is running reports a lost connection; without a listener it would end the process.
    connection.on('error', () => {});
    const abort = () => breakOff(connection);
    signal?.addEventListener('abort', abort, { once: true });
    connection.once('end', () => signal?.removeEventListener('abort', abort));
    try {
      signal?.throwIfAborted();
      await settle(connection, statementLimit);
    } catch (error) {
      breakOff(connection);
      throw error;
    }
    return connection;
  };
  const isOpen = (connection: Connection) => !streamOf(connection).destroyed;
  return Object.assign(connect, { kept: new KeptConnection<Connection>(isOpen, (one) => one.end()) });
}

function waiting(): RecyclingSocket {
  const socket = new RecyclingSocket();
  socket.pause();
  return socket;
}

/**
 * Closes a connection at once: what it is asked just now fails, and the server rolls back. mysql2's own way says
 * goodbye, and a server that waits for a slow reader does not hear it.
 */
export function breakOff(connection: Connection): void {
  streamOf(connection).destroy();
}

function streamOf(connection: Connection): Duplex {
  return (connection as unknown as { connection: { stream: Duplex } }).connection.stream;
}

/**
 * Asks the server something, in the connection that the last such question left or in a new one.
 *
 * @param ask leaves nothing in the session: no transaction, lock, temporary table or setting.
 */
export async function askServer<Answer>(
  connect: Connect,
  ask: (connection: Connection) => Promise<Answer>,
): Promise<Answer> {
  const connection = (await keptAlive(connect)) ?? (await connect());
  try {
    const answer = await ask(connection);
    if (connect.kept === undefined) await connection.end().catch(() => {});
    else connect.kept.keep(connection);
    return answer;
  } catch (error) {
    await connection.end().catch(() => {});
    throw error;
  }
}

/** It may have been lost unnoticed. */
async function keptAlive({ kept }: Connect): Promise<Connection | undefined> {
  const connection = kept?.take();
  return connection?.ping().then(
    () => connection,
    () => undefined,
  );
}

/** Opens a connection, uses it, and ends it whatever happens. */
export async function withConnection<Result>(
  connect: Connect,
  use: (connection: Connection) => Promise<Result>,
  options?: ConnectOptions,
): Promise<Result> {
  const connection = await connect(options);
  try {
    return await use(connection);
  } finally {
    await connection.end().catch(() => {});
  }
}

/** The rows of a query, typed as the caller knows them. */
export async function rowsOf<Row>(
  connection: Connection,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const [rows] = await connection.query<RowDataPacket[]>(sql, [...values]);
  return rows as Row[];
}

/** With a CA certificate the server must prove its name; without one the connection is encrypted, no more. */
function tls({ ca_cert: ca }: Configuration): Pick<ConnectionOptions, 'ssl'> {
  return { ssl: ca ? { ca, rejectUnauthorized: true, verifyIdentity: true } : { rejectUnauthorized: false } };
}
