import type { ModelWriter, OutgoingRecord, RecordResult, TargetDefinition } from '../contract.ts';
import type { Engine } from '../duckdb-engine/index.ts';
import { withRefused } from '../identity-functions.ts';
import { statusOf } from '../record-status.ts';
import { tryEmpty } from '../try-empty.ts';
import { unreachable } from '../unreachable.ts';
import type { Database } from './database.ts';
import { batchOutcome, noteCommitted, refusedOr } from './model-batches.ts';
import type { Target } from './model-destination.ts';
import { findRows } from './model-matching.ts';
import { stageBatch } from './model-stage.ts';
import { modelStatements, type Statements } from './model-statements.ts';

/** Each batch opens the file, which takes as long as writing some thousand records. */
const batchSize = 10_000;

/** Writes batches, each in one transaction that also keeps the batch's token. */
export function modelWriter(database: Database, target: Target, definition: TargetDefinition): ModelWriter {
  const statements = modelStatements(target, definition);
  const write: ModelWriter['write'] = async (records, prepared) => {
    const engine = await database.writer().catch(unreachable);
    try {
      await engine.run('begin transaction');
      const results = await apply(engine, statements, definition, records);
      const token = crypto.randomUUID();
      await noteCommitted(engine, token);
      await prepared(token, results);
      await engine.run('commit');
      return results;
    } catch (error) {
      throw refusedOr(error);
    } finally {
      // What is not committed is rolled back.
      await engine.close();
    }
  };
  return {
    batchSize,
    write,
    tryEmpty: () => tryEmpty((prepared) => write([], prepared)),
    outcome: (token) => batchOutcome(database, token),
  };
}

async function apply(
  engine: Engine,
  { matching, known, changes, insert }: Statements,
  definition: TargetDefinition,
  records: readonly OutgoingRecord[],
): Promise<RecordResult[]> {
  await stageBatch(engine, records);
  const resolved = await findRows(engine, matching);
  const found = known === undefined ? [] : await engine.query<{ n: number }>(known);
  for (const change of changes) await engine.run(change);
  if (insert !== undefined) await engine.run(insert);
  const there = new Set(found.map(({ n }) => n));
  return withRefused(records.length, resolved, (n) => ({ status: statusOf(definition.mode, there.has(n)) }));
}
