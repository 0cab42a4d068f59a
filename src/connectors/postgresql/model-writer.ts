import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg, { type Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { messageOf, TidemarkError } from '../../errors.ts';
import { encodeCopyText } from '../../lib/copy-text.ts';
import {
  BatchRefused,
  type ModelWriter,
  type OutgoingRecord,
  type RecordResult,
  type TargetDefinition,
} from '../contract.ts';
import type { Connect } from './bulk-source.ts';
import type { Target } from './model-destination.ts';
import { modelStatements, type Statements } from './model-statements.ts';
import { withClient } from './with-client.ts';

/** Enough to make the round trips cheap, few enough to find one bad record quickly. */
const batchSize = 2_000;

/**
 * SQLSTATE classes that the content of a batch is to blame for: bad values, violated constraints, check
 * options, and errors that the target's own triggers raise.
 */
const contentErrors = /^(22|23|44|P0001)/;

/**
 * Writes batches, each in one transaction: the batch is staged as text in a temporary table, known records are
 * updated from it and the others inserted, with every value cast to its column's type by the server.
 *
 * The transaction's id is the token: after a crash the server itself says whether it was committed.
 */
export async function modelWriter(
  connect: Connect,
  target: Target,
  definition: TargetDefinition,
): Promise<ModelWriter> {
  const statements = modelStatements(target, definition);
  let session: Client | undefined;

  const open = async (): Promise<Client> => {
    if (session !== undefined) return session;
    const client = await connect('tidemark model write');
    client.once('end', () => {
      if (session === client) session = undefined;
    });
    await client.query(statements.stage);
    session = client;
    return client;
  };

  return {
    batchSize,
    async write(records, prepared) {
      const client = await open();
      try {
        await client.query('begin');
        const results = await apply(client, statements, definition, records);
        await prepared(await transactionId(client), results);
        await client.query('commit');
        return results;
      } catch (error) {
        await client.query('rollback').catch(() => client.end());
        const code = error instanceof pg.DatabaseError ? (error.code ?? '') : '';
        if (!contentErrors.test(code)) throw error;
        throw new BatchRefused(messageOf(error), { cause: error });
      }
    },
    outcome: (token) =>
      withClient(connect, 'tidemark model write', async (client) => {
        const { rows } = await client
          .query<{ status: string | null }>('select pg_xact_status($1::xid8) as status', [token])
          .catch((error: unknown) => {
            // The id lies in this server's future: it is another one, or a copy from before the transaction.
            if (error instanceof pg.DatabaseError && error.code === '22023')
              return { rows: [{ status: 'aborted' }] };
            throw error;
          });
        // Null: so long ago that the server has forgotten, as it does with committed transactions.
        const status = rows[0]?.status ?? 'committed';
        if (status === 'in progress')
          throw new Error(`transaction ${token} of the dead worker is still open`);
        return status === 'committed' ? 'committed' : 'aborted';
      }),
  };
}

async function apply(
  client: Client,
  statements: Statements,
  definition: TargetDefinition,
  records: readonly OutgoingRecord[],
): Promise<RecordResult[]> {
  const rows = records.map(({ key, values }, index) => [String(index), key, ...values]);
  await pipeline(Readable.from([encodeCopyText(rows)]), client.query(copyFrom(statements.copy)));

  const known = new Set<number>();
  for (const statement of statements.known) {
    const { rows } = await client.query<{ n: number }>(statement);
    for (const { n } of rows) known.add(n);
  }
  if (statements.insert !== undefined) {
    const { rowCount } = await client.query(statements.insert, [[...known]]);
    if (rowCount !== records.length - known.size) {
      // A trigger or rule kept rows out without an error. Alone, the record that it was is known.
      throw new BatchRefused('a trigger or rule of the target kept the row out');
    }
  }
  return records.map((_, index) => ({ status: statusOf(definition, known.has(index)) }));
}

function statusOf({ mode }: TargetDefinition, known: boolean): 'inserted' | 'updated' | 'skipped' {
  switch (mode) {
    case 'updateOrCreate':
      return known ? 'updated' : 'inserted';
    case 'update':
      return known ? 'updated' : 'skipped';
    case 'create':
      return known ? 'skipped' : 'inserted';
    case 'append':
      return 'inserted';
    case 'replace':
    case 'remove':
      throw new TidemarkError('invalid_field', { field: 'mode', reason: `${mode} is not built yet` });
  }
}

async function transactionId(client: Client): Promise<string> {
  const { rows } = await client.query<{ id: string }>('select pg_current_xact_id()::text as id');
  return rows[0]?.id ?? '';
}
