import { sql } from 'kysely';
import type { RowStream } from '../connectors/index.ts';
import type { Run } from '../executions/index.ts';

/** Milliseconds between two updates of the counts that users watch. */
const interval = 1000;

/** Shows how far the tables under way are. */
export interface ProgressReport extends Disposable {
  /** Reports `rows` until the returned function is called. */
  follow(schemaId: string, rows: RowStream): () => void;
}

export function reportProgress(run: Run): ProgressReport {
  const followed = new Map<string, RowStream>();
  let writing = false;

  const write = async () => {
    if (writing || followed.size === 0) return;
    writing = true;
    const counts = [...followed].map(([schema, { rows, bytes }]) => ({ schema, rows, bytes }));
    try {
      await run.commit({}, async (tx) => {
        // A table that was finished meanwhile keeps its exact count.
        await sql`
          update bulk_schema_executions as execution
          set record_count = now.rows, byte_count = now.bytes, updated_at = clock_timestamp()
          from jsonb_to_recordset(${JSON.stringify(counts)}::jsonb) as now (schema text, rows bigint, bytes bigint)
          where execution_id = ${run.execution.id}::uuid and schema_id = now.schema and status = 'running'
        `.execute(tx);
      });
    } catch {
      // The next update makes up for this one; the commit that ends a table reports what stays wrong.
    } finally {
      writing = false;
    }
  };

  const timer = setInterval(() => void write(), interval);
  return {
    follow(schemaId, rows) {
      followed.set(schemaId, rows);
      return () => followed.delete(schemaId);
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
