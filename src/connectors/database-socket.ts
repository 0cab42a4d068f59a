import type { Socket } from 'node:net';
import { type Egress, EgressError } from '../egress/index.ts';
import { TidemarkError } from '../errors.ts';
import { ConnectionLost } from './contract.ts';

/** What a driver needs to reach its server. */
export interface DatabaseReach {
  egress: Egress;
  /** Ends every connection that was opened, at once. */
  signal?: AbortSignal | undefined;
}

/**
 * A socket to a database, by the one guarded way out: a driver that connects by itself would dial whatever it is told.
 *
 * @param make a socket of a special kind.
 * @throws unprocessable for an address that is not allowed, ConnectionLost for one that does not answer.
 */
export async function databaseSocket(
  { hostname, port }: { hostname: string; port: number },
  { egress, signal }: DatabaseReach,
  make?: () => Socket,
): Promise<Socket> {
  try {
    const socket = await egress.connect({
      hostname,
      port,
      ...(make === undefined ? {} : { socket: make }),
      ...(signal === undefined ? {} : { signal }),
    });
    return socket.setNoDelay(true).setKeepAlive(true, 60_000);
  } catch (cause) {
    if (!(cause instanceof EgressError)) throw cause;
    if (cause.failure !== 'refused_address') throw new ConnectionLost(cause.message, { cause });
    throw new TidemarkError(
      'unprocessable',
      { reason: `configuration.hostname: ${cause.message}` },
      { cause },
    );
  }
}
