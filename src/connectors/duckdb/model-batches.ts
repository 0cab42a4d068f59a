import { messageOf } from '../../errors.ts';
import { BatchRefused } from '../contract.ts';
import { DuckDBError, type Engine, isTrouble, isValueError, literal } from '../duckdb-engine/index.ts';
import { type Database, withReader } from './database.ts';
import { qualified } from './relations.ts';

/** What became of batches, in the file: tokens stay for as long as a run may be taken over. */
const batches = { schema: 'main', name: '_tidemark_batches' };
const kept = '30 days';

/** In the transaction of the batch. */
export async function noteCommitted(engine: Engine, token: string): Promise<void> {
  const table = qualified(engine, batches);
  await engine.run(`create table if not exists ${table} (token uuid, written timestamptz);
    delete from ${table} where written < now() - interval '${kept}';
    insert into ${table} values (${literal(token)}, now())`);
}

export function batchOutcome(database: Database, token: string): Promise<'committed' | 'aborted'> {
  return withReader(
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
  );
}

/** The error as it is, or as the batch's. */
export function refusedOr(error: unknown): unknown {
  if (!(error instanceof DuckDBError) || isTrouble(error)) return error;
  // What follows is a piece of the statement.
  const reason = messageOf(error).replace(/\n\nLINE \d+: [\s\S]*/, '');
  // To ask the file again would take as long as to write a batch.
  return new BatchRefused(reason, {
    cause: error,
    unsure: error.kind !== 'Constraint' && !isValueError(error),
  });
}
