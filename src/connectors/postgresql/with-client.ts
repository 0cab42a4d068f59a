import type { Client } from 'pg';
import type { Connect } from './bulk-source.ts';
import { begin, type TransactionOptions } from './transaction.ts';

/** Opens a connection, asks it in one transaction that writes nothing, and ends it whatever happens. */
export function withReader<Result>(
  connect: Connect,
  applicationName: string,
  use: (client: Client) => Promise<Result>,
  options?: TransactionOptions,
): Promise<Result> {
  return withClient(connect, applicationName, async (client) => {
    await begin(client, 'look', options);
    const result = await use(client);
    await client.query('commit');
    return result;
  });
}

/** Opens a connection, does one transaction in it, and ends it whatever happens. */
export function withWriter<Result>(
  connect: Connect,
  applicationName: string,
  use: (client: Client) => Promise<Result>,
  options?: TransactionOptions,
): Promise<Result> {
  return withClient(connect, applicationName, async (client) => {
    await begin(client, 'write', options);
    const result = await use(client);
    await client.query('commit');
    return result;
  });
}

async function withClient<Result>(
  connect: Connect,
  applicationName: string,
  use: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = await connect(applicationName);
  try {
    return await use(client);
  } finally {
    await client.end().catch(() => {});
  }
}
