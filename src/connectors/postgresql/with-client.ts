import type { Client } from 'pg';
import type { Connect } from './bulk-source.ts';

/** Opens a connection, uses it, and ends it whatever happens. */
export async function withClient<Result>(
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
