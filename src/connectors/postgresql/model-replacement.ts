import type { Client } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { decodeCopyText } from '../../lib/copy-text.ts';
import { BatchRefused, type ModelReplacement, type ReplacedRow, type TargetDefinition } from '../contract.ts';
import { refuseAgain } from '../refused-rows.ts';
import type { Connect } from './bulk-source.ts';
import { withRecords } from './model-replacement-search.ts';
import { replacementStatements } from './model-replacement-statements.ts';
import { forTransaction, refusedOr, stage, stagedLines, staging } from './model-stage.ts';
import type { Target } from './model-target.ts';
import { transactionId, transactionOutcome } from './model-transaction.ts';
import { begin, isPooled, targetOptions } from './transaction.ts';

const batchSize = 5_000;

/**
 * Collects the records in a temporary table that has the target's constraints and unique indexes over the mapped
 * columns, so that a record which cannot be stored is found when it is added. Then one transaction deletes,
 * updates and inserts what differs: other writers wait for it, readers do not.
 */
export async function modelReplacement(
  connect: Connect,
  target: Target,
  definition: TargetDefinition,
  refused: ReadonlyMap<string, string> = new Map(),
): Promise<ModelReplacement> {
  const statements = replacementStatements(target, definition);
  const client = await connect('tidemark model replace');
  let pooled = false;
  try {
    await begin(client, 'write', targetOptions);
    pooled = isPooled(client);
    for (const statement of statements.prepare)
      await client.query(pooled ? forTransaction(statement) : statement);
    if (!pooled) await client.query('commit');
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
  let added = 0;

  /**
   * Of all or nothing. Behind a pooler the temporary tables last as long as a transaction: then all steps are one. Without
   * one each is its own, because a transaction that is open for hours keeps the server from vacuuming.
   */
  const step = async (work: () => Promise<void>): Promise<void> => {
    await (pooled ? client.query('savepoint step') : begin(client, 'write', targetOptions));
    try {
      await work();
      await client.query(pooled ? 'release savepoint step' : 'commit');
    } catch (error) {
      await client.query(pooled ? 'rollback to savepoint step' : 'rollback').catch(() => client.end());
      throw error;
    }
  };

  /** An identity that its column cannot hold is nobody's in the target. */
  const keep = async (keys: readonly string[]): Promise<void> => {
    const { keep: statement } = statements;
    if (statement === undefined || keys.length === 0) return;
    try {
      await step(async () => void (await client.query(statement, [keys])));
    } catch (error) {
      if (!(refusedOr(error, definition) instanceof BatchRefused)) throw error;
      if (keys.length === 1) return;
      const middle = keys.length >> 1;
      await keep(keys.slice(0, middle));
      await keep(keys.slice(middle));
    }
  };

  return {
    batchSize,
    fields: definition.fields.map(
      ({ target: id, source }) => target.fields.find((one) => one.id === id) ?? source,
    ),
    async add(records) {
      try {
        await step(async () => {
          if (pooled) await client.query(`truncate ${staging}`);
          await stage(client, stagedLines(records));
          if (refused.size > 0 && statements.search !== undefined) {
            const { rows } = await client.query<{ key: string }>(statements.search.known, [
              [...refused.keys()],
            ]);
            refuseAgain(rows, refused);
          }
          await client.query(statements.collect);
        });
      } catch (error) {
        throw asOfTarget(refusedOr(error, definition), target);
      }
      added += records.length;
      return [];
    },
    async replace(kept, replaced, prepared) {
      try {
        for await (const keys of kept) await keep(keys);
        if (!pooled) await begin(client, 'write', targetOptions);
        await client.query('savepoint replacing');
        for (const statement of statements.begin) await client.query(statement);
        for (const [status, statement] of statements.changes) {
          for await (const rows of changes(client, status, statement)) await replaced(rows);
        }
        const { rows } = await client.query<{ rows: string }>(statements.count);
        if (Number(rows[0]?.rows) !== added) {
          throw new BatchRefused('a trigger or rule of the target kept rows out, or put others in');
        }
        await prepared(await transactionId(client));
        await client.query('commit');
      } catch (error) {
        try {
          throw await withRecords(client, statements, definition, refusedOr(error, definition));
        } finally {
          // Its end is the transaction's, also where a COPY is in the middle of its rows.
          await client.end().catch(() => {});
        }
      }
    },
    outcome: (token) => transactionOutcome(connect, token),
  };
}

/** What the collected rows' table says is said of the target: its constraints and indexes have the names of theirs. */
function asOfTarget(error: unknown, { table }: Target): unknown {
  if (!(error instanceof BatchRefused)) return error;
  const [name = ''] = /(?:"(?:[^"]|"")*"|[^".]+)$/.exec(table) ?? [];
  const bare = name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
  const reason = error.message.replaceAll('tidemark_replacement', () => bare);
  const { cause, place, unsure } = error;
  return new BatchRefused(reason, { cause, place, unsure });
}

async function* changes(
  client: Client,
  status: ReplacedRow['status'],
  statement: string,
): AsyncGenerator<ReplacedRow[]> {
  for await (const rows of decodeCopyText(client.query(copyTo(`copy (${statement}) to stdout`)))) {
    yield rows.map(([key = null, ...values]) => ({ status, key, values }));
  }
}
