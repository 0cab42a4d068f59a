import type { Client } from 'pg';
import type { Connect } from './bulk-source.ts';
import { begin, isPooled, type TransactionOptions } from './transaction.ts';

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
      await leave(connect, client, options);
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

/**
 * @param client outside any transaction.
 * @param options of the last one: SQL of the user's own may have left settings of the session or locks.
 */
export async function leave(
  connect: Connect,
  client: Client,
  options: TransactionOptions = {},
): Promise<void> {
  const { kept } = connect;
  const isClean = kept !== undefined && (options.path !== 'own' || (await discarded(client)));
  if (isClean) kept.keep(client);
  else await client.end().catch(() => {});
}

/** A pooler would have another session do it. */
async function discarded(client: Client): Promise<boolean> {
  if (isPooled(client)) return false;
  return client.query('discard all').then(
    () => true,
    () => false,
  );
}
