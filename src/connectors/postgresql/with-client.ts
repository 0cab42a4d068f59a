import type { Client } from 'pg';
import type { Connect } from './bulk-source.ts';
import { begin, type TransactionOptions } from './transaction.ts';

/** Opens a connection, asks it in one transaction that writes nothing, and ends it whatever happens. */
export const withReader = inTransaction('look');

/** Opens a connection, does one transaction in it, and ends it whatever happens. */
export const withWriter = inTransaction('write');

function inTransaction(purpose: 'look' | 'write') {
  return async <Result>(
    connect: Connect,
    applicationName: string,
    use: (client: Client) => Promise<Result>,
    options?: TransactionOptions,
  ): Promise<Result> => {
    const client = await connect(applicationName);
    try {
      await begin(client, purpose, options);
      const result = await use(client);
      await client.query('commit');
      return result;
    } finally {
      await client.end().catch(() => {});
    }
  };
}
