import { sql } from 'kysely';
import type { RowStream } from '../connectors/index.ts';
import type { Run } from '../executions/index.ts';

/** Milliseconds between two updates of the counts that users watch. */
const interval = 1000;

/** Shows how far the tables under way are, and learns which of them are to be canceled. */
export interface ProgressReport extends Disposable {
  /** @param cancel called when the user cancels this one schema. */
  table(schemaId: string, cancel: () => void): TableProgress;
}

/** Counts the rows of one table until it is disposed of. */
export interface TableProgress extends Disposable {
  /** Rows that were stored before this try. */
  readonly stored: number;
  /** Adds to them. */
  add(rows: number): void;
  /** Counts a stream's rows, as one of several. @returns what ends the following; what it gave stays counted. */
  follow(rows: RowStream): () => void;
}

interface Followed {
  rows: number;
  bytes: number;
  streams: Set<RowStream>;
  cancel: () => void;
}

export function reportProgress(run: Run): ProgressReport {
  const tables = new Map<string, Followed>();
  let writing = false;

  const write = async () => {
    if (writing || tables.size === 0) return;
    writing = true;
    const counts = [...tables].map(([schema, { rows, bytes, streams }]) => ({
      schema,
      rows: [...streams].reduce((total, stream) => total + stream.rows, rows),
      bytes: [...streams].reduce((total, stream) => total + stream.bytes, bytes),
    }));
    try {
      await run.commit({}, async (tx) => {
        // A table that was finished meanwhile keeps its exact count.
        const { rows } = await sql<{ schema_id: string }>`
          update bulk_schema_executions as execution
          set record_count = now.rows, byte_count = now.bytes, updated_at = clock_timestamp()
          from jsonb_to_recordset(${JSON.stringify(counts)}::jsonb) as now (schema text, rows bigint, bytes bigint)
          where execution_id = ${run.execution.id}::uuid and schema_id = now.schema and status = 'running'
          returning case when cancel_requested then schema_id end as schema_id
        `.execute(tx);
        for (const { schema_id: schemaId } of rows) tables.get(schemaId)?.cancel();
      });
    } catch {
      // The next update makes up for this one; the commit that ends a table reports what stays wrong.
    } finally {
      writing = false;
    }
  };

  const timer = setInterval(() => void write(), interval);
  return {
    table(schemaId, cancel) {
      const followed: Followed = { rows: 0, bytes: 0, streams: new Set(), cancel };
      tables.set(schemaId, followed);
      let stored = 0;
      return {
        get stored() {
          return stored;
        },
        add(rows) {
          stored += rows;
          followed.rows += rows;
        },
        follow(stream) {
          followed.streams.add(stream);
          return () => {
            if (!followed.streams.delete(stream)) return;
            followed.rows += stream.rows;
            followed.bytes += stream.bytes;
          };
        },
        [Symbol.dispose]: () => tables.delete(schemaId),
      };
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
