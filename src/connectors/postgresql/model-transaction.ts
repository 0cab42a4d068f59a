import pg, { type Client } from 'pg';
import type { Connect } from './bulk-source.ts';
import { withReader } from './with-client.ts';

/** The id of the transaction under way: the token by which the server says later what became of it. */
export async function transactionId(client: Client): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    'select pg_catalog.pg_current_xact_id()::pg_catalog.text as id',
  );
  return rows[0]?.id ?? '';
}

export function transactionOutcome(connect: Connect, token: string): Promise<'committed' | 'aborted'> {
  return withReader(connect, 'tidemark model write', async (client) => {
    const { rows } = await client
      .query<{ status: string | null }>('select pg_catalog.pg_xact_status($1::pg_catalog.xid8) as status', [
        token,
      ])
      .catch((error: unknown) => {
        // The id lies in this server's future: it is another one, or a copy from before the transaction.
        if (error instanceof pg.DatabaseError && error.code === '22023')
          return { rows: [{ status: 'aborted' }] };
        throw error;
      });
    // Null: so long ago that the server has forgotten, as it does with committed transactions.
    const status = rows[0]?.status ?? 'committed';
    if (status === 'in progress') throw new Error(`transaction ${token} of the dead worker is still open`);
    return status === 'committed' ? 'committed' : 'aborted';
  });
}
