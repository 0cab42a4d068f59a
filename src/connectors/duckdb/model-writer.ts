import { messageOf } from '../../errors.ts';
import {
  BatchRefused,
  type ModelWriter,
  type OutgoingRecord,
  type RecordResult,
  type TargetDefinition,
} from '../contract.ts';
import { DuckDBError, type Engine, literal } from '../duckdb-engine/index.ts';
import { statusOf } from '../record-status.ts';
import { type Database, withReader } from './database.ts';
import type { Target } from './model-destination.ts';
import { modelStatements, type Statements } from './model-statements.ts';
import { qualified } from './relations.ts';

/** Each batch opens the file, which takes as long as writing some thousand records. */
const batchSize = 10_000;

/** What became of batches, in the file: tokens stay for as long as a run may be taken over. */
const batches = { schema: 'main', name: '_tidemark_batches' };
const kept = '30 days';

/** Errors that the content of a batch is to blame for. */
const contentErrors = new Set(['Conversion', 'Constraint', 'Invalid Input', 'Out of Range']);

/** Writes batches, each in one transaction that also keeps the batch's token. */
export function modelWriter(database: Database, target: Target, definition: TargetDefinition): ModelWriter {
  const statements = modelStatements(target, definition);
  return {
    batchSize,
    async write(records, prepared) {
      const engine = await database.writer();
      try {
        await engine.run('begin transaction');
        const results = await apply(engine, statements, definition, records);
        const token = crypto.randomUUID();
        const table = qualified(engine, batches);
        await engine.run(`create table if not exists ${table} (token uuid, written timestamptz);
          delete from ${table} where written < now() - interval '${kept}';
          insert into ${table} values (${literal(token)}, now())`);
        await prepared(token, results);
        await engine.run('commit');
        return results;
      } catch (error) {
        if (!(error instanceof DuckDBError && contentErrors.has(error.kind))) throw error;
        throw new BatchRefused(messageOf(error), { cause: error });
      } finally {
        // What is not committed is rolled back.
        await engine.close();
      }
    },
    outcome: (token) =>
      withReader(
        database,
        () => 'aborted' as const,
        async (engine) => {
          const there = await engine.query(
            `select 1 from duckdb_tables() where database_name = current_database()
             and schema_name = ${literal(batches.schema)} and table_name = ${literal(batches.name)}`,
          );
          if (there.length === 0) return 'aborted';
          const found = await engine.query(
            `select 1 from ${qualified(engine, batches)} where token::varchar = $1`,
            [token],
          );
          return found.length > 0 ? 'committed' : 'aborted';
        },
      ),
  };
}

async function apply(
  engine: Engine,
  { stage, known, changes, insert }: Statements,
  definition: TargetDefinition,
  records: readonly OutgoingRecord[],
): Promise<RecordResult[]> {
  const rows = records.map(({ key, values }, n) => ({ n, key, v: values }));
  await engine.query(stage, [JSON.stringify(rows)]);
  const found = known === undefined ? [] : await engine.query<{ n: number }>(known);
  for (const change of changes) await engine.run(change);
  if (insert !== undefined) await engine.run(insert);
  const there = new Set(found.map(({ n }) => n));
  return records.map((_, index) => ({ status: statusOf(definition.mode, there.has(index)) }));
}
