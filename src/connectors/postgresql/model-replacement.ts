import type { Client } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { decodeCopyText } from '../../lib/copy-text.ts';
import { BatchRefused, type ModelReplacement, type ReplacedRow, type TargetDefinition } from '../contract.ts';
import type { Connect } from './bulk-source.ts';
import { replacementStatements } from './model-replacement-statements.ts';
import { refusedOr, stage, stagedLines } from './model-stage.ts';
import type { Target } from './model-target.ts';
import { transactionId, transactionOutcome } from './model-transaction.ts';

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
): Promise<ModelReplacement> {
  const statements = replacementStatements(target, definition);
  const client = await connect('tidemark model replace');
  try {
    for (const statement of statements.prepare) await client.query(statement);
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
  let added = 0;

  /** An identity that its column cannot hold is nobody's in the target. */
  const keep = async (keys: readonly string[]): Promise<void> => {
    if (statements.keep === undefined || keys.length === 0) return;
    try {
      await client.query(statements.keep, [keys]);
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
        await client.query('begin');
        await stage(client, stagedLines(records));
        await client.query(statements.collect);
        await client.query('commit');
      } catch (error) {
        await client.query('rollback').catch(() => client.end());
        throw asOfTarget(refusedOr(error, definition), target);
      }
      added += records.length;
      return [];
    },
    async replace(kept, replaced, prepared) {
      try {
        for await (const keys of kept) await keep(keys);
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
        // Its end is the transaction's, also where a COPY is in the middle of its rows.
        await client.end().catch(() => {});
        throw refusedOr(error, definition);
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
