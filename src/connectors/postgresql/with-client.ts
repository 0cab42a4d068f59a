import type { Client } from 'pg';
import type { Connect } from './bulk-source.ts';
import { begin, type TransactionOptions } from './transaction.ts';

/** Asks the server in one transaction that writes nothing. */
export const withReader = inTransaction('look');

/** Does one transaction. */
export const withWriter = inTransaction('write');

function inTransaction(purpose: 'look' | 'write') {
  return async <Result>(
    connect: Connect,
    applicationName: string,
    use: (client: Client) => Promise<Result>,
    options?: TransactionOptions,
  ): Promise<Result> => {
    const client = await begun(connect, applicationName, purpose, options);
    try {
      const result = await use(client);
      await client.query('commit');
      await leave(connect, client);
      return result;
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
  };
}

/** A connection in a transaction: the one that the last question left, or a new one. */
export async function begun(
  connect: Connect,
  applicationName: string,
  kind: Parameters<typeof begin>[1],
  options?: TransactionOptions,
): Promise<Client> {
  const kept = connect.kept?.take();
  if (kept !== undefined) {
    try {
      await begin(kept, kind, { ...options, applicationName });
      return kept;
    } catch {
      void kept.end().catch(() => {});
    }
  }
  const client = await connect(applicationName);
  try {
    await begin(client, kind, options);
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
}

/** @param client outside any transaction, with nothing left in it. */
export async function leave(connect: Connect, client: Client): Promise<void> {
  if (connect.kept === undefined) await client.end().catch(() => {});
  else connect.kept.keep(client);
}
