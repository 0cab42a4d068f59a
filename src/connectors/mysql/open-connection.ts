import mysql, { type ConnectionOptions } from 'mysql2';
import type { Connection } from 'mysql2/promise';

/** What mysql2 has and its types do not mention. */
interface Internals {
  stream: { destroyed: boolean; destroy(): void };
  /** Of the packet that is expected next. */
  sequenceId: number;
  _command?: object | null;
  /** Without a packet the next command begins. */
  handlePacket(packet?: { sequenceId: number }): void;
  protocolError(message: string): void;
  /** Fails the command in hand and those behind it. */
  _handleFatalError(error: Error): void;
}

/**
 * Opens a connection that ends when its server breaks the protocol. By itself the driver goes on after a packet that comes out of
 * its turn, and writes a line to standard error for each; and the command in which it notices a wrong packet never ends.
 */
export function openConnection(options: ConnectionOptions): Promise<Connection> {
  const connection = mysql.createConnection(options);
  const internals = connection as unknown as Internals;
  const fail = (message: string) => {
    internals._handleFatalError(new Error(`the server broke its protocol: ${message}`));
    internals.stream.destroy();
  };
  const handle = internals.handlePacket.bind(internals);
  internals.handlePacket = (packet) => {
    const { stream, sequenceId, _command: command } = internals;
    if (packet === undefined) handle();
    // What else has come over a connection that is given up is not looked at.
    else if (stream.destroyed) return;
    else if (command && packet.sequenceId !== sequenceId) fail('a packet came out of its turn');
    else handle(packet);
  };
  internals.protocolError = fail;
  return new Promise((resolve, reject) => {
    connection.once('connect', () => resolve(connection.promise()));
    // A server can make it fail more than once, and a failure that nobody listens for would end the process.
    connection.on('error', (error) => {
      internals.stream.destroy();
      reject(error);
    });
  });
}
