import type { Socket } from 'node:net';
import type { Client } from 'pg';
import { lostOrRefused } from './bulk-errors.ts';
import type { Connect } from './bulk-source.ts';

/** A table takes as long as it is big. Not every server knows all of these. */
const deadlines = [
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
  'transaction_timeout',
];

/** Opens a connection without deadlines. @throws ConnectionLost */
export async function openSession(
  connect: Connect,
  applicationName: string,
  socket?: () => Socket,
): Promise<Client> {
  let client: Client | undefined;
  try {
    client = await connect(applicationName, socket);
    await client.query(
      `select set_config(name, '0', false) from pg_settings where name = any($1) and setting <> '0'`,
      [deadlines],
    );
    return client;
  } catch (error) {
    if (client !== undefined) breakOff(client);
    throw lostOrRefused(error);
  }
}

/** Ends the session at once, in whatever state the protocol is: the server rolls back. */
export function breakOff(client: Client): void {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}
