import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import pg from 'pg';
import { TidemarkError } from '../../errors.ts';
import { type DatabaseReach, databaseSocket } from '../database-socket.ts';
import { KeptConnection } from '../kept-connection.ts';
import { preferringTls } from '../prefer-tls.ts';
import type { Connect } from './bulk-source.ts';
import type { Configuration } from './configuration.ts';
import { guardParser } from './guard-parser.ts';
import { setRowSecurity } from './transaction.ts';

export function connector(
  configuration: Configuration,
  reach: DatabaseReach,
  usualSocket?: () => Socket,
): Connect & { kept: KeptConnection<pg.Client> } {
  const { ssl, ca_cert, client_certs } = configuration;
  const { signal } = reach;
  const open = preferringTls({ ssl, proof: Boolean(ca_cert) || client_certs });
  const connect: Connect = async (applicationName, socket = usualSocket) => {
    if (configuration.ssh) {
      throw new TidemarkError('unprocessable', {
        reason: 'configuration.ssh: SSH tunnels are not built yet',
      });
    }
    return open(async (encrypted) => {
      signal?.throwIfAborted();
      // Over TLS the bytes that matter come from the socket that pg lays around this one.
      const stream = await databaseSocket(configuration, reach, encrypted ? undefined : socket);
      const client = new pg.Client({
        host: configuration.hostname,
        port: configuration.port,
        database: configuration.database,
        user: configuration.username,
        // As a function: for an empty text the driver would look into PGPASSWORD and ~/.pgpass of this machine.
        password: () => configuration.password,
        ssl: encrypted && tls(configuration),
        stream: () => connected(stream),
        // Left out, the driver would take it from PGSSLNEGOTIATION of this machine.
        sslnegotiation: 'postgres',
        application_name: applicationName,
        connectionTimeoutMillis: 10_000,
        keepAlive: true,
      });
      ignoreEnvironment(client);
      guardParser(client);
      setRowSecurity(client, configuration.row_level_security ? 'on' : 'off');
      // The query that is running reports a lost connection; without a listener it would end the process.
      client.on('error', () => {});
      const abort = () => destroy(client);
      signal?.addEventListener('abort', abort, { once: true });
      client.once('end', () => signal?.removeEventListener('abort', abort));
      try {
        await client.connect();
      } catch (error) {
        // What the server said in place of a greeting does not close its connection.
        destroy(client);
        throw error;
      }
      return client;
    });
  };
  const isOpen = (client: pg.Client) => !streamOf(client).destroyed;
  return Object.assign(connect, { kept: new KeptConnection<pg.Client>(isOpen, (client) => client.end()) });
}

/** The driver connects what it is given. */
function connected(socket: Socket): Socket {
  socket.connect = () => {
    process.nextTick(() => socket.emit('connect'));
    return socket;
  };
  return socket;
}

/** What the driver takes from PGOPTIONS and PGREPLICATION of this machine when it is given none. */
function ignoreEnvironment(client: pg.Client): void {
  const { connectionParameters } = client as unknown as {
    connectionParameters: { options?: string; replication?: string };
  };
  delete connectionParameters.options;
  delete connectionParameters.replication;
}

/** Breaks the connection off without waiting for the server, which rolls back what was open. */
export function destroy(client: pg.Client): void {
  streamOf(client).destroy();
}

function streamOf(client: pg.Client): Duplex {
  return (client as unknown as { connection: { stream: Duplex } }).connection.stream;
}

/**
 * Like libpq's sslmode: with a CA certificate the server must prove its name (verify-full); without one the
 * connection is encrypted but the server is not verified (require), since most servers have certificates
 * that no public authority signed.
 */
function tls(configuration: Configuration): ConnectionOptions {
  const { ca_cert: ca, client_certs, client_certificate: cert, client_key: key } = configuration;
  return {
    ...(ca ? { ca, rejectUnauthorized: true } : { rejectUnauthorized: false }),
    ...(client_certs && cert && key ? { cert, key } : {}),
  };
}
