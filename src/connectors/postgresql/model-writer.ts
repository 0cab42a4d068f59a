import type { Client } from 'pg';
import {
  BatchRefused,
  type ModelSyncMode,
  type ModelWriter,
  type RecordResult,
  type TargetDefinition,
} from '../contract.ts';
import { withRefused } from '../identity-functions.ts';
import { statusOf } from '../record-status.ts';
import { tryEmpty } from '../try-empty.ts';
import { unreachable } from '../unreachable.ts';
import type { Connect } from './bulk-source.ts';
import { DirectLines, insertUnknown } from './model-direct.ts';
import { findRows } from './model-matching.ts';
import { forTransaction, refusedOr, stage, stagedLines } from './model-stage.ts';
import { modelStatements, type Statements } from './model-statements.ts';
import type { Target } from './model-target.ts';
import { transactionId, transactionOutcome } from './model-transaction.ts';
import { begin, isPooled, targetOptions } from './transaction.ts';
import { begun } from './with-client.ts';

const applicationName = 'tidemark model write';
const options = { ...targetOptions, applicationName };

/** Enough to make the round trips and commits cheap, few enough to find one bad record quickly. */
const batchSize = 10_000;

/**
 * Writes batches, each in one transaction: the batch is staged in a temporary table, whose columns have the
 * types of the target's, known records are updated from it and the others inserted. After a batch of which the target
 * knew nothing the next is expected to be such a one, too, and goes there directly.
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
  let memory = new DirectLines();
  let isNews = true;

  const open = async (): Promise<Client> => {
    if (session !== undefined) return session;
    const client = await begun(connect, applicationName, 'write', options).catch(unreachable);
    client.once('end', () => {
      if (session === client) session = undefined;
    });
    await prepareSession(client).catch(unreachable);
    session = client;
    return client;
  };

  /** Behind a pooler each transaction has to make its temporary tables. */
  const prepareSession = async (client: Client): Promise<void> => {
    if (!isPooled(client)) await client.query(statements.prepare);
    await client.query('commit');
  };

  const insertNews = async (client: Client, lines: Buffer, count: number) => {
    const { direct } = statements;
    if (direct === undefined || !isNews) return undefined;
    const inserted = await insertUnknown(client, direct, lines, memory, statements);
    if (inserted === undefined) return undefined;
    if (inserted !== count) throw keptOut();
    return new Array<RecordResult>(count).fill({ status: 'inserted' });
  };

  const writeLines: Required<ModelWriter>['writeLines'] = async (lines, count, prepared) => {
    const client = await open();
    try {
      await begin(client, 'write', options);
      if (isPooled(client)) await client.query(forTransaction(statements.prepare));
      const results =
        (await insertNews(client, lines, count)) ??
        (await apply(client, statements, definition.mode, lines, count));
      if (count > 0) isNews = results.every(({ status }) => status === 'inserted');
      await prepared(await transactionId(client), results);
      await client.query('commit');
      return results;
    } catch (error) {
      // Its bytes may be on their way still.
      memory = new DirectLines();
      await client.query('rollback').catch(() => client.end());
      throw refusedOr(error, definition);
    }
  };

  return {
    batchSize,
    write: (records, prepared) => writeLines(stagedLines(records), records.length, prepared),
    writeLines,
    tryEmpty: () => tryEmpty((prepared) => writeLines(Buffer.alloc(0), 0, prepared)),
    outcome: (token) => transactionOutcome(connect, token),
  };
}

async function apply(
  client: Client,
  statements: Statements,
  mode: ModelSyncMode,
  lines: Buffer,
  count: number,
): Promise<RecordResult[]> {
  await stage(client, lines);
  const resolved = await findRows(client, statements.matching);
  const known = new Set<number>();
  if (statements.known !== undefined) {
    const { before, known: find, after } = statements;
    if (before !== undefined) await client.query(before);
    const { rows } = await client.query<{ n: number }>(find);
    if (after !== undefined) await client.query(after);
    for (const { n } of rows) known.add(n);
  }
  if (statements.insert !== undefined) {
    // Inserted, such a record would be there twice.
    if ([...resolved.rows.keys()].some((n) => !known.has(n))) {
      throw new BatchRefused(
        'the row that matches was changed at the same moment, or a trigger keeps it as it is',
      );
    }
    const others = [...known, ...resolved.refused.keys()];
    const { rowCount } = await client.query(statements.insert, [others]);
    if (rowCount !== count - others.length) {
      throw keptOut();
    }
  }
  return withRefused(count, resolved, (n) => ({ status: statusOf(mode, known.has(n)) }));
}

/** A trigger or rule kept rows out without an error. Alone, the record that it was is known. */
const keptOut = () => new BatchRefused('a trigger or rule of the target kept the row out');
