import type { Socket } from 'node:net';
import type { Client } from 'pg';
import { lostOrRefused } from './bulk-errors.ts';
import type { Connect } from './bulk-source.ts';

/** @throws ConnectionLost */
export async function openSession(
  connect: Connect,
  applicationName: string,
  socket?: () => Socket,
): Promise<Client> {
  try {
    return await connect(applicationName, socket);
  } catch (error) {
    throw lostOrRefused(error);
  }
}

/** Ends the session at once, in whatever state the protocol is: the server rolls back. */
export function breakOff(client: Client): void {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}
